// Linkstead's replay shim. SPDX-License-Identifier: Apache-2.0
//
// The server rewrites the references that stand in a page. This script stands before all others of the page and turns
// the references inward that scripts make later, so that they find their captures instead of the policy's refusal:
//
//   - the URL-bearing properties and attributes of elements: src, href, srcset, data, poster, action, formAction, …
//   - markup from strings: innerHTML, outerHTML, insertAdjacentHTML, document.write, srcdoc, DOMParser, …
//   - CSS from strings: style properties and attributes, cssText, insertRule, text of style elements, FontFace
//   - fetch, XMLHttpRequest, Request, Worker, SharedWorker, Audio, window.open, history
//   - clicks, forms and script-made navigations (location = …, where the browser has the Navigation API)
//
// It fails closed for what the past can't answer: WebSocket, EventSource, sendBeacon, WebRTC, WebTransport, service
// workers. The Content-Security-Policy stays behind all of it; nothing here is trusted to keep a page in.
//
// It does not hide that URLs are rewritten: location, getters and Referer show archive addresses. It does not reach
// into workers, nor into import() of a computed absolute URL, nor attributes set by way of Attr nodes. Cookies and
// storage are those of this origin. Pages render without it too.
(() => {
  "use strict";
  const mark = Symbol.for("linkstead.replay");
  if (self[mark]) return;
  Object.defineProperty(self, mark, { value: true });

  const { URL, Proxy, Reflect, Object: O, String: S } = self;

  // What the archive tells of a copy that shows a wall stands over the page, out of reach of its styles.
  const notice = document.currentScript && document.currentScript.getAttribute("data-archive-notice");
  const tell = () => {
    const bar = document.createElement("linkstead-notice");
    const text = document.createElement("p");
    text.textContent = notice;
    text.setAttribute("role", "status");
    bar.style.cssText = "all: initial !important; display: block !important; position: fixed !important; inset: 0 0 auto 0 !important; z-index: 2147483647 !important";
    text.style.cssText = "margin: 0; padding: .6em 1em; font: 16px/1.4 system-ui, sans-serif; color: #000; background: #ffdf80; border-bottom: 2px solid #8a5a00";
    const close = document.createElement("button");
    close.textContent = "Close";
    close.type = "button";
    close.style.cssText = "all: revert; float: right; margin: 0 0 0 1em; font: inherit; cursor: pointer";
    const root = document.documentElement;
    const margin = [root.style.getPropertyValue("margin-top"), root.style.getPropertyPriority("margin-top")];
    close.addEventListener("click", () => {
      bar.remove();
      root.style.setProperty("margin-top", ...margin);
    });
    text.prepend(close);
    bar.attachShadow({ mode: "closed" }).append(text);
    root.append(bar);
    root.style.setProperty("margin-top", text.offsetHeight + "px", "important"); // so that it hides nothing of the page
  };
  if (notice) addEventListener("DOMContentLoaded", tell);
  const here = new URL(document.baseURI);
  const address = /^\/web\/(\d{1,14})(?:[a-z]{2}_)?\/((?:https?|file):.*)$/s;
  const rooted = /^\/web\/(?:\d{1,14}(?:[a-z]{2}_)?|\d*\*|-)\//;

  // read tells time and URL of the page that an address of ours shows.
  const read = (u) => {
    const m = address.exec(u.pathname + u.search);
    return m && { time: m[1], url: m[2] };
  };
  const first = read(here);
  if (!first) return;
  const current = () => read(new URL(document.baseURI)) || first;

  // inside is the archive's address of what ref refers to. Addresses of the archive, fragments, and URLs that ask no
  // server (data:, blob:, javascript:, mailto:) stay as they are.
  const inside = (ref, mod = "") => {
    const text = S(ref).trim();
    if (text === "" || text[0] === "#" || rooted.test(text)) return ref;
    const page = current();
    let u;
    try {
      u = new URL(text);
    } catch {
      try {
        u = new URL(text, page.url);
      } catch {
        return ref;
      }
    }
    if (u.protocol !== "http:" && u.protocol !== "https:") return ref;
    if (u.origin === here.origin) {
      if (rooted.test(u.pathname)) return ref;
      u = new URL(u.pathname + u.search + u.hash, page.url);
    }
    return `/web/${page.time}${mod}/${u.href}`;
  };

  const insideSrcset = (text) =>
    S(text).replace(/([^\s,]\S*[^\s,]|[^\s,])((?:\s+[^,]*)?(?:,|$))/g, (_, url, rest) => inside(url, "im_") + rest);

  const insideCSS = (text) =>
    S(text)
      .replace(/\burl\(\s*(?:"([^"]*)"|'([^']*)'|([^"'()\s]+))\s*\)/gi, (all, a, b, c) => {
        const url = a ?? b ?? c;
        const to = inside(url, "oe_");
        return to === url ? all : `url("${S(to).replace(/["\\\n]/g, encodeURIComponent)}")`;
      })
      .replace(/(@import\s+)(?:"([^"]*)"|'([^']*)')/gi, (_, at, a, b) => `${at}"${inside(a ?? b, "cs_")}"`);

  // What the attributes of elements hold. The modifier only helps the server where a type is missing.
  const mods = { SCRIPT: "js_", IMG: "im_", INPUT: "im_", IFRAME: "if_", FRAME: "if_", A: "", AREA: "", FORM: "", BASE: "", BUTTON: "" };
  const modOf = (el, name) => {
    const tag = S(el.tagName || el).toUpperCase();
    if (tag === "LINK") return /stylesheet/i.test(el.rel || "") ? "cs_" : "oe_";
    if (name === "action" || name === "formaction") return "";
    return mods[tag] ?? "oe_";
  };
  const urls = new Set(["src", "href", "xlink:href", "action", "formaction", "poster", "background", "lowsrc"]);
  const dropped = new Set(["integrity", "nonce", "ping", "attributionsrc", "csp", "referrerpolicy"]);

  // convert tells what an attribute is to hold instead, or undefined if it is not to be set at all.
  const convert = (el, name, value) => {
    name = S(name).toLowerCase();
    if (urls.has(name) || (name === "data" && S(el.tagName || el).toUpperCase() === "OBJECT")) return inside(value, modOf(el, name));
    if (name === "srcset" || name === "imagesrcset") return insideSrcset(value);
    if (name === "style") return insideCSS(value);
    if (name === "srcdoc") return insideDocument(value);
    return dropped.has(name) ? undefined : value;
  };

  // insideHTML rewrites the tags in a string of markup, which may be a part of a document that comes in pieces.
  const tags = /<([a-z][^\s\/>]*)((?:[^>"']|"[^"]*"|'[^']*')*)>/gi;
  const attrs = /([^\s"'<>\/=]+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'=<>`]+)/g;
  const insideHTML = (html) => {
    html = S(html);
    if (!html.includes("<")) return html;
    return html
      .replace(tags, (all, tag, rest) => {
        const el = { tagName: tag, rel: (/\brel\s*=\s*["']?([^"'>]*)/i.exec(rest) || [])[1] };
        const out = rest.replace(attrs, (whole, name, eq, quoted) => {
          const raw = /^["']/.test(quoted) ? quoted.slice(1, -1) : quoted;
          const value = raw.replace(/&amp;|&#38;/g, "&").replace(/&quot;/g, '"').replace(/&#0?39;/g, "'");
          const to = convert(el, name, value);
          if (to === undefined) return `data-archive-${name}${eq}${quoted}`;
          if (to === value) return whole;
          return `${name}${eq}"${S(to).replace(/&/g, "&amp;").replace(/"/g, "&quot;")}"`;
        });
        return out === rest ? all : `<${tag}${out}>`;
      })
      .replace(/(<style\b[^>]*>)([^<]*)/gi, (_, tag, css) => tag + insideCSS(css));
  };
  const shim = document.currentScript && document.currentScript.src;
  const insideDocument = (html) => (shim ? `<script src="${shim}"></${"script"}>` : "") + insideHTML(html);

  // The tools: a property, a method or a constructor gets its argument turned inward first.
  const property = (proto, name, turn) => {
    const d = proto && O.getOwnPropertyDescriptor(proto, name);
    if (!d || !d.set || !d.configurable) return;
    O.defineProperty(proto, name, {
      ...d,
      set(value) {
        const to = turn.call(this, value);
        if (to !== undefined) Reflect.apply(d.set, this, [to]);
      },
    });
  };
  const method = (owner, name, turn) => {
    const native = owner && owner[name];
    if (typeof native !== "function") return;
    const wrapped = {
      [name](...args) {
        const to = turn.call(this, args);
        return to === undefined ? undefined : Reflect.apply(native, this, to);
      },
    }[name];
    O.defineProperty(owner, name, { value: wrapped, writable: true, configurable: true, enumerable: true });
  };
  const constructor = (name, turn) => {
    const native = self[name];
    if (typeof native !== "function") return;
    self[name] = new Proxy(native, { construct: (target, args, as) => Reflect.construct(target, turn(args), as) });
  };
  const proto = (name) => self[name] && self[name].prototype;
  const at = (i, turn) => (args) => (i < args.length ? args.map((v, k) => (k === i ? turn(v) : v)) : args);

  // Properties and attributes of elements.
  const properties = {
    HTMLImageElement: ["src", "srcset", "lowsrc"], HTMLScriptElement: ["src"], HTMLLinkElement: ["href", "imageSrcset"],
    HTMLAnchorElement: ["href"], HTMLAreaElement: ["href"], HTMLBaseElement: ["href"], HTMLIFrameElement: ["src", "srcdoc"],
    HTMLFrameElement: ["src"], HTMLMediaElement: ["src"], HTMLVideoElement: ["poster"], HTMLSourceElement: ["src", "srcset"],
    HTMLTrackElement: ["src"], HTMLEmbedElement: ["src"], HTMLObjectElement: ["data"], HTMLInputElement: ["src", "formAction"],
    HTMLButtonElement: ["formAction"], HTMLFormElement: ["action"], HTMLBodyElement: ["background"],
  };
  for (const [name, list] of O.entries(properties)) {
    for (const p of list) property(proto(name), p, function (v) { return convert(this, p, v); });
  }
  for (const name of ["HTMLScriptElement", "HTMLLinkElement"]) property(proto(name), "integrity", () => undefined);
  for (const name of ["HTMLAnchorElement", "HTMLAreaElement"]) property(proto(name), "ping", () => undefined);
  property(proto("SVGAnimatedString"), "baseVal", (v) => (/^\s*https?:/i.test(v) ? inside(v, "im_") : v));
  method(Element.prototype, "setAttribute", function ([name, value]) {
    const to = convert(this, name, value);
    return to === undefined ? undefined : [name, to];
  });
  method(Element.prototype, "setAttributeNS", function ([ns, name, value]) {
    const to = convert(this, /(^|:)href$/i.test(name) ? "href" : name, value);
    return to === undefined ? undefined : [ns, name, to];
  });

  // Markup and CSS from strings. The text of a style element is CSS however it comes in.
  const isStyle = (n) => n instanceof HTMLStyleElement || n instanceof (self.SVGStyleElement || HTMLStyleElement);
  const markup = function (v) {
    if (isStyle(this)) return insideCSS(v);
    return this instanceof HTMLScriptElement || this instanceof HTMLTextAreaElement || v === null ? v : insideHTML(v);
  };
  for (const owner of [Element.prototype, proto("ShadowRoot")]) {
    property(owner, "innerHTML", markup);
    method(owner, "setHTMLUnsafe", at(0, insideHTML));
  }
  property(Element.prototype, "outerHTML", insideHTML);
  method(Element.prototype, "insertAdjacentHTML", at(1, insideHTML));
  method(Range.prototype, "createContextualFragment", at(0, insideHTML));
  method(DOMParser.prototype, "parseFromString", (args) => (/html/i.test(args[1]) ? at(0, insideHTML)(args) : args));
  for (const name of ["write", "writeln"]) method(Document.prototype, name, (args) => args.map(insideHTML));
  for (const name of ["textContent", "nodeValue"]) {
    property(Node.prototype, name, function (v) { return isStyle(this) || isStyle(this.parentNode) ? insideCSS(v) : v; });
  }
  property(HTMLElement.prototype, "innerText", function (v) { return isStyle(this) ? insideCSS(v) : v; });
  for (const name of ["appendChild", "insertBefore"]) {
    method(Node.prototype, name, function (args) {
      if (isStyle(this) && args[0] instanceof Text) args[0].data = insideCSS(args[0].data);
      return args;
    });
  }
  method(Element.prototype, "append", function (args) {
    return isStyle(this) ? args.map((v) => (typeof v === "string" ? insideCSS(v) : v)) : args;
  });
  // Chromium keeps the properties of a style out of any prototype; one that is put there goes first (Web IDL §3.9.3).
  const style = proto("CSSStyleDeclaration");
  const { getPropertyValue, setProperty } = style;
  for (const name of ["background", "background-image", "border-image", "border-image-source", "list-style", "list-style-image", "content",
    "cursor", "filter", "clip-path", "mask", "mask-image", "src"]) {
    for (const p of new Set([name, name.replace(/-./g, (m) => m[1].toUpperCase())])) {
      for (const owner of [style, proto("CSSStyleProperties"), proto("CSS2Properties"), proto("CSSFontFaceDescriptors")]) property(owner, p, insideCSS);
      if (p in style) continue;
      O.defineProperty(style, p, {
        get() { return Reflect.apply(getPropertyValue, this, [name]); },
        set(v) { Reflect.apply(setProperty, this, [name, v === null ? "" : insideCSS(v)]); },
        configurable: true, enumerable: true,
      });
    }
  }
  property(style, "cssText", insideCSS);
  property(proto("HTMLElement"), "style", insideCSS);
  method(style, "setProperty", at(1, (v) => (v === null ? v : insideCSS(v))));
  method(proto("CSSStyleSheet"), "insertRule", at(0, insideCSS));
  for (const name of ["replace", "replaceSync"]) method(proto("CSSStyleSheet"), name, at(0, insideCSS));
  constructor("FontFace", at(1, (v) => (typeof v === "string" ? insideCSS(v) : v)));

  // What asks for data, runs scripts elsewhere or opens windows.
  const request = at(0, (v) => (v instanceof Request ? v : inside(v, "mp_")));
  method(self, "fetch", request);
  constructor("Request", request);
  method(XMLHttpRequest.prototype, "open", at(1, (v) => inside(v, "mp_")));
  for (const name of ["Worker", "SharedWorker"]) constructor(name, at(0, (v) => inside(v, "js_")));
  constructor("Audio", at(0, (v) => inside(v, "oe_")));
  method(self, "open", at(0, (v) => inside(v)));
  const past = at(2, (v) => (v === null || v === undefined ? v : inside(v)));
  for (const name of ["pushState", "replaceState"]) method(History.prototype, name, past);

  // What the past can't answer is refused before anything is asked.
  class Closed extends EventTarget {
    constructor(url) {
      super();
      O.assign(this, { url: S(url), readyState: 0, bufferedAmount: 0, extensions: "", protocol: "", binaryType: "blob" });
      O.assign(this, { onopen: null, onmessage: null, onerror: null, onclose: null });
      setTimeout(() => {
        this.readyState = this instanceof self.WebSocket ? 3 : 2;
        for (const e of [new Event("error"), new CloseEvent("close", { code: 1006 })]) {
          if (typeof this["on" + e.type] === "function") this["on" + e.type](e);
          this.dispatchEvent(e);
        }
      });
    }
    send() {}
    close() {}
  }
  self.WebSocket = class WebSocket extends Closed {};
  O.assign(self.WebSocket, { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 });
  self.EventSource = class EventSource extends Closed {};
  O.assign(self.EventSource, { CONNECTING: 0, OPEN: 1, CLOSED: 2 });
  for (const name of ["WebTransport", "RTCPeerConnection", "webkitRTCPeerConnection"]) {
    if (name in self) self[name] = class { constructor() { throw new DOMException("Not in an archived page", "NotSupportedError"); } };
  }
  if (navigator.sendBeacon) Navigator.prototype.sendBeacon = () => true;
  const workers = proto("ServiceWorkerContainer");
  if (workers) workers.register = () => Promise.reject(new DOMException("Not in an archived page", "SecurityError"));

  // Where a reader is led. Links and forms that came in by another way are put right at the last moment.
  const right = (el, name) => {
    const value = el && el.getAttribute(name);
    if (value !== null && value !== undefined && inside(value) !== value) el.setAttribute(name, value);
  };
  for (const type of ["click", "auxclick"]) {
    addEventListener(type, (e) => {
      for (const n of e.composedPath()) if (n instanceof HTMLAnchorElement || n instanceof HTMLAreaElement) right(n, "href");
    }, true);
  }
  addEventListener("submit", (e) => {
    right(e.target, "action");
    right(e.submitter, "formaction");
  }, true);
  if (self.navigation) {
    navigation.addEventListener("navigate", (e) => {
      const to = inside(e.destination.url);
      if (e.cancelable && to !== e.destination.url) {
        e.preventDefault();
        setTimeout(() => location.assign(to));
      }
    });
  }
})();
