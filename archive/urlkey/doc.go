// Package urlkey is what the archive knows of URLs: how a reference becomes the URL that is requested, under which key
// its captures are found, and which host and site it belongs to. It never dials out, and never looks at a page.
//
// # The URL that is requested
//
// References are resolved and serialised as the WHATWG URL standard says (https://url.spec.whatwg.org/), so that we ask
// for what a browser would ask for: tabs and newlines are taken out, backslashes of http and https URLs are slashes,
// hosts are lower-cased and in punycode, IPv4 and IPv6 addresses have one spelling, default ports are dropped, dot
// segments are resolved, and what may not stand in a path or query is percent-encoded; what is percent-encoded already
// stays so. The fragment and the userinfo are taken off: neither is sent. See [Base.Resolve].
//
// # The key under which captures are found
//
// [Key] gives the SURT (sort-friendly URI reordering transform) that CDXJ files use: "org,example)/path?query". It is
// the canonicalisation that the Internet Archive's tools and pywb document, so that our CDXJ sorts with theirs. It folds
// URLs that usually mean the same page; where it folds too much, the exact URL wins among the captures of a key. The
// rules, in the order in which they are applied to an http, https or ftp URL:
//
//  1. The scheme is dropped, and with it the difference between http and https.
//  2. The fragment is dropped. Userinfo is dropped.
//  3. Percent-escapes in host, path and query are decoded, again and again until nothing changes: %2541 is A.
//  4. The host is lower-cased; dots at its ends and repeated dots are dropped; "www." is dropped from its
//     front, and so is "www" with digits ("www2."), once, unless nothing would remain.
//  5. The host's labels are reversed and joined by commas: www.example.org is org,example. An IPv4 address is
//     reversed like a name (127.0.0.1 is 1,0,0,127), as surt does; an IPv6 address stays as it is, in its brackets.
//  6. The port is appended after a colon, unless it is the scheme's default (80, 443, 21). Then comes ")".
//  7. The path: dot segments are resolved and runs of slashes become one. A ";jsessionid=" with 32 characters at its end
//     and an ASP.NET cookieless session segment ("/(S(24 characters))/") before an .aspx page are dropped. A slash at
//     the end is dropped, unless it is the whole path. An empty path is "/".
//  8. The query: the fields jsessionid, phpsessid and sid with 32 characters, aspsessionid with eight letters in its
//     name and 24 in its value, and the pair cfid, cftoken are dropped. Empty fields are dropped. The other fields are
//     sorted by name, then by value; a field without "=" comes before one with it. A query without fields is dropped
//     with its question mark.
//  9. ASCII letters of path and query are lower-cased.
//  10. Bytes up to 0x20 and from 0x7F, "#" and "%" are percent-escaped, with lower-case hexadecimal digits.
//
// All other URLs (file:, urn:, dns:, mailto:, data:, …) are their own keys, without their fragment and with spaces and
// control characters escaped, because a key must not break a CDXJ line.
//
// Two rules differ from surt on purpose: it keeps the empty field that a session id leaves behind (rule 8), and
// decodes hosts that the WHATWG parser refuses; we never see those.
package urlkey
