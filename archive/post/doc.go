// Package post reads a document (HTML, PDF, Markdown, plain text) and lists its citations: every place that points to a
// source, with where it stands, what it says and the sentence around it. It is pure: it never dials out, opens no file
// and knows no clock; what it can't see in the bytes that it is given, it doesn't say.
//
// # Offsets
//
// Start and End count Unicode code points of the decoded source, from 0, End exclusive. The source is decoded by its
// byte order mark, else by the charset of Options.ContentType, else (HTML) by its meta element, else as UTF-8 if it is
// that, else as windows-1252. A byte order mark isn't counted; a byte that decodes to nothing counts as one code point.
//
//   - HTML: from the "<" of the start tag to behind the ">" of the end tag. An element without an end tag ends where the
//     next link begins, or with its start tag. A bare DOI: the text itself.
//   - Markdown: the whole construct: [text](url), [text][label], <url>, the bare URL.
//   - PDF: in the text that package pdf makes of it, a form feed behind each page: what an annotation covers, or the address
//     with the breaks of its lines. An annotation over no text stands where its page begins.
//   - Text: the URL as it stands, without what is not its own; for a Markdown link the whole of it.
//
// # Where a citation stands
//
// The main content of an HTML page is found by the first of these rules that yields enough text:
//
//  1. elements that themes and vocabularies mark as the body of a post (.entry-content, .post-content, .e-content,
//     itemprop=articleBody and their kin, see contentSelectors);
//  2. article elements;
//  3. main elements, role=main, and the ids that old themes use for them;
//  4. the densest text: the smallest block that holds seven tenths of the page's paragraphs.
//
// "Enough" is a quarter of what the next wider element (article, main, body) has. Navigation, related-post lists and
// widgets inside the content are not content; comment sections are, wherever they stand. A citation there is "content".
// Any other link to another site, by registrable domain, is "outbound". The rest is "elsewhere": navigation.
//
// # What is left out
//
// Citation.LeftOut says why a citation is not to be captured: the name of a rule of leftout.rules (share, login, print,
// reply, …), "same page" for links to the document itself and for bare fragments, "no base" for relative links of a document whose base is not
// known, and "navigation", "outside content" or "same site" for what the Mode leaves out. Links to sources that are
// reached by something else than http or https (ftp:, gopher:, doi:, …) are "other scheme"; all others whose scheme isn't http or
// https (mailto:, javascript:, tel:) are no citations.
//
// # What is told of a citation
//
// Its sentence; the quotation that it supports, of four words or more: the nearest one in its block, else the quotation that is set off, or
// the paragraphs that are nothing else, right before or behind it; the date on which its author read it, if that stands beside it, or the
// date of its section; and the text directive (WICG text fragments) that leads to its place and to no other in the prose. The original of a
// memento has what the memento has. What is left out has none of it but the sentence.
//
// # Mementos
//
// A link that is itself a copy in a web archive stays as it is; its original follows as a further citation at the same
// place, with Of telling the memento. The URL patterns are in mementos.rules.
package post
