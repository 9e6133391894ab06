package replay

import (
	"net/http"
	"strings"
)

// mayDo are the words of a sandbox for what pages of the past may do (HTML standard, sandboxing flag set). A frame leads the
// window that it is in elsewhere only if its reader clicks.
const mayDo = "allow-scripts allow-forms allow-modals allow-popups allow-downloads allow-pointer-lock allow-orientation-lock " +
	"allow-presentation allow-top-navigation-by-user-activation"

// permissions that no page of the past needs to ask a reader for.
const permissions = "camera=(), microphone=(), geolocation=(), display-capture=(), payment=(), usb=(), serial=(), hid=(), bluetooth=(), " +
	"midi=(), publickey-credentials-get=(), publickey-credentials-create=(), identity-credentials-get=(), otp-credentials=(), " +
	"local-fonts=(), idle-detection=(), browsing-topics=(), join-ad-interest-group=(), run-ad-auction=(), attribution-reporting=()"

// protect sets what every answer has. Nothing beyond this origin learns what is read here.
func (h *Handler) protect(head http.Header, policy string) {
	head.Set("Content-Security-Policy", policy)
	head.Set("Referrer-Policy", "same-origin")
	head.Set("Permissions-Policy", permissions)
	head.Set("X-DNS-Prefetch-Control", "off")
	head.Set("Origin-Agent-Cluster", "?1") // document.domain brings no two sites together
	if h.Mode != OneHost {
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
	}
	head["Content-Type"] = nil // or net/http guesses one
	head.Set("Vary", "Accept-Encoding, Sec-Fetch-Dest, Upgrade-Insecure-Requests"+h.varying())
}

func (h *Handler) varying() string {
	if h.Mode == OneHost {
		return ", Origin"
	}
	return ""
}

// ownHeaders sets what our own pages and redirects have.
func (h *Handler) ownHeaders(head http.Header) {
	h.protect(head, "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors "+h.ancestors(""))
	head.Set("Vary", "Sec-Fetch-Dest, Upgrade-Insecure-Requests, Referer"+h.varying())
	head.Set("Cache-Control", "no-store") // a miss may be a capture in a moment
	head.Set("X-Content-Type-Options", "nosniff")
}

// pagePolicy stops what rewriting missed: our hosts only, but within them all that pages of the past may do. Active is what
// a browser obeys if it is shown; it stands in a sandbox wherever it might reach what is not its own.
func (h *Handler) pagePolicy(r *http.Request, mod modifier, url string, active bool) string {
	site, _ := h.seat(r.Host)
	own, all := h.originOf(site), h.everywhere(site)
	policy := "default-src " + own + " 'unsafe-inline' 'unsafe-eval' data: blob:; frame-src " + all + " data: blob:; object-src " + all +
		" data: blob:; base-uri " + own + "; form-action " + all
	if h.Mode == PerSite {
		policy += " " + h.originOf("") // where what the archive lacks is told
	}
	if h.Mode != OneHost { // the ancestors there are opaque, and match nothing
		policy += "; frame-ancestors " + h.ancestors(site)
	}
	switch {
	case !active || h.Mode == Shared:
	case h.Mode == OneHost || site == "" || site != label(url):
		policy += "; sandbox " + mayDo
	case framed(r, mod) || navigates(r) && wanted(r) != asPage:
		policy += "; sandbox allow-same-origin " + mayDo
	}
	return policy
}

// contain lets a document of the past, whatever becomes of our script, and the documents and workers that it makes, reach this archive
// alone: by requests, by navigations, of its opener and its popups too, by preconnects; and by WebRTC nobody. It is for
// browsers that know Connection-Allowlist (WICG draft; Chromium does), and holds where a Content-Security-Policy says nothing. Redirects
// are free, since the archive leads nowhere but to itself.
func (h *Handler) contain(head http.Header) {
	to := "response-origin"
	if h.Mode == PerSite {
		to += ` "` + h.originOf("*") + `" "` + h.originOf("") + `"`
	}
	head.Set("Connection-Allowlist", "("+to+");redirects=allow")
}

// everywhere is the sources at which archived documents are shown.
func (h *Handler) everywhere(site string) string {
	own := h.originOf(site)
	if h.Mode == PerSite {
		return own + " " + h.originOf("*")
	}
	return own
}

// exactPolicy lets bytes that nobody has rewritten do nothing at all.
func (h *Handler) exactPolicy() string {
	return "sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors " + h.ancestors("")
}

// ancestors are the sources whose pages may show ours in a frame.
func (h *Handler) ancestors(site string) string {
	if h.Pages == "" || h.Mode == Shared {
		return h.everywhere(site)
	}
	return h.everywhere(site) + " " + strings.TrimSuffix(h.Pages, "/")
}

// share lets pages in opaque origins read what they ask for, fonts, modules and data, never with credentials (Fetch
// standard, CORS protocol). They send no Referer, so that nothing tells them from a frame that another site made opaque: with one
// host for all, what the archive shows to a browser can be read by the sites that the browser is at.
func (h *Handler) share(w http.ResponseWriter, r *http.Request) {
	if h.Mode != OneHost {
		return
	}
	head := w.Header()
	head.Set("Timing-Allow-Origin", "null")
	if r.Header.Get("Origin") != "null" {
		return
	}
	head.Set("Access-Control-Allow-Origin", "*")
	head.Set("Access-Control-Expose-Headers", "*")
	if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
		head.Set("Access-Control-Allow-Methods", allowed)
		head.Set("Access-Control-Allow-Headers", fieldValue(r.Header.Get("Access-Control-Request-Headers")))
		head.Set("Access-Control-Max-Age", "600")
	}
}
