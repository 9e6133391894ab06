package text

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Words of class, id, role and itemprop that tell what an element is. They are those that publishing systems write.
var words = map[string]mark{}

func init() {
	for m, names := range map[mark]string{
		isFirm: `entry-content post-content post-body post__content post-entry entry-body article-body article-content article__body
			article__content story-body story-content e-content blog-content single-content page-content markdown-body mw-parser-output
			mw-content-text articleBody articlebody`,
		isArticle: `role=article`,
		isMain:    `role=main main-content id=main id=content id=post`,
		isAside: `role=navigation role=banner role=contentinfo role=search role=complementary role=dialog role=alertdialog sharedaddy jp-relatedposts related-posts related yarpp-related post-navigation
			nav-links navigation pagination pager breadcrumb breadcrumbs sidebar sphinxsidebar widget widget-area wp-block-comments-pagination tags
			post-tags tag-list site-header site-footer navbar navheader navfooter cookie-banner cookie-consent cookie-notice newsletter-signup
			skip-link screen-reader-text sr-only visually-hidden printfooter mw-editsection catlinks noprint headerlink share-buttons
			social-share addtoany_share_save_container advertisement ad-slot toc-nav related-articles`,
		isComment: `id=comments class=comments comments-area comment-list commentlist comments-list wp-block-comments wp-block-comment-template
			comment-content comment-body h-cite disqus_thread comment-respond`,
		isByline: `byline p-author post-author entry-author article-author author-name`,
	} {
		for _, w := range strings.Fields(names) {
			words[w] = m
		}
	}
}

// maxAttribute is how much of an attribute is looked at for such words, in bytes.
const maxAttribute = 2000

// attributes tells what an element is, and takes note of what the head of the page says.
func (t *tree) attributes(z *html.Tokenizer, tag atom.Atom, more bool) mark {
	var m mark
	switch tag {
	case atom.Article:
		m = isArticle
	case atom.Main:
		m = isMain
	case atom.Nav:
		m = isAside
	}
	var meta metaTag
	for more {
		var key, val []byte
		key, val, more = z.TagAttr()
		if len(val) > maxAttribute && tag != atom.Meta {
			val = val[:maxAttribute]
		}
		switch k := string(key); {
		case tag == atom.Meta:
			meta.set(k, string(val))
		case k == "lang" && (tag == atom.Html || tag == atom.Body && t.head.lang == ""):
			t.head.lang = short(string(val))
		case tag == atom.Html || tag == atom.Body:
		case k == "class" || k == "id" || k == "role" || k == "itemprop":
			m |= named(k, string(val))
		case k == "href" && tag == atom.A:
			m |= isLink
		case k == "rel" && tag == atom.A && string(val) == "author":
			m |= isByline
		case k == "hidden" && string(val) != "until-found", k == "aria-hidden" && string(val) == "true":
			m |= isSilent
		case k == "style" && unseen(string(val)):
			m |= isSilent
		}
	}
	t.head.meta(meta)
	return m
}

// named tells what the words of an attribute say. A footer or a heading of an article is in it all the same.
func named(key, val string) mark {
	var m mark
	for w := range strings.FieldsSeq(val) {
		m |= words[w] | words[key+"="+w]
	}
	return m
}

// unseen says whether a style hides its element.
func unseen(style string) bool {
	s := strings.ToLower(strings.ReplaceAll(style, " ", ""))
	return strings.Contains(s, "display:none") || strings.Contains(s, "visibility:hidden")
}

// head is what a page says of itself.
type head struct {
	title, lang string
	metas       map[string]string // by name in lower case, the first of each
}

type metaTag struct{ names, content string }

func (m *metaTag) set(key, val string) {
	switch key {
	case "name", "property", "itemprop", "http-equiv":
		if m.names == "" {
			m.names = strings.ToLower(strings.TrimSpace(clip(val, 100)))
		}
	case "content":
		m.content = short(val)
	}
}

// maxMetas bounds how many meta elements are kept.
const maxMetas = 500

func (h *head) meta(m metaTag) {
	if m.names == "" || m.content == "" || len(h.metas) >= maxMetas {
		return
	}
	if h.metas == nil {
		h.metas = map[string]string{}
	}
	if _, ok := h.metas[m.names]; !ok {
		h.metas[m.names] = m.content
	}
}

// said is the first of these that the page says.
func (h *head) said(names ...string) string {
	for _, n := range names {
		if v := h.metas[n]; v != "" {
			return v
		}
	}
	return ""
}
