// The banner: what of a page's past is shown, and what else there is. It stands in a closed shadow tree, whose own rules for the
// host go before any of the page's (CSS Scoping §3.3.2: of important rules the inner ones win).
const bannerStyle = `
:host { all: initial !important; position: fixed !important; inset: 0 0 auto 0 !important; z-index: 2147483647 !important; display: block !important; color-scheme: light dark !important;
  font: 13px/1.45 system-ui, sans-serif !important; --ink: #23262b; --soft: #5c636e; --paper: #fbfaf6; --line: #ddd8cb; --warm: #fff0c9; --accent: #7a4a00; --bar: #b9a981; }
@media (prefers-color-scheme: dark) { :host { --ink: #e8e6e1; --soft: #a9afb8; --paper: #1e2024; --line: #3a3d43; --warm: #4a3a12; --accent: #f0c674; --bar: #7d7048; } }
:host(.small) { inset: 6px 6px auto auto !important; }
@media print { :host { display: none !important; } }
* { box-sizing: border-box; font: inherit; color: inherit; }
.bar { display: flex; align-items: center; gap: 4px 14px; min-height: 40px; padding: 3px 12px; background: var(--paper); color: var(--ink); border-bottom: 1px solid var(--line); }
.when { font-weight: 600; white-space: nowrap; font-variant-numeric: tabular-nums; }
.word, .asked { color: var(--soft); }
.asked { overflow: hidden; text-overflow: ellipsis; }
.others { display: flex; align-items: center; gap: 10px; margin-left: auto; white-space: nowrap; }
a { color: inherit; text-decoration: none; padding: 4px 2px; border-radius: 3px; }
a.step, a.all { color: var(--accent); }
a:hover { text-decoration: underline; }
.years { display: flex; align-items: flex-end; gap: 2px; height: 28px; margin: 0; padding: 0; list-style: none; }
.years a { display: flex; align-items: flex-end; width: 9px; height: 28px; padding: 0; }
.years i { display: block; width: 100%; background: var(--bar); border-radius: 1px; }
.years .now i { background: var(--accent); }
button { appearance: none; border: 1px solid var(--line); background: transparent; border-radius: 5px; padding: 3px 9px; cursor: pointer; white-space: nowrap; }
button:hover { border-color: var(--soft); }
a:focus-visible, button:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.notice { margin: 0; padding: 6px 12px; background: var(--warm); color: var(--ink); border-bottom: 1px solid var(--line); }
.pill { display: none; background: var(--paper); color: var(--ink); box-shadow: 0 1px 4px #0003; }
:host(.small) .pill { display: block; }
:host(.small) .bar, :host(.small) .notice, :host(.small) .panel { display: none; }
.panel { max-height: min(70vh, 34rem); overflow: auto; padding: 10px 12px 14px; background: var(--paper); color: var(--ink); border-bottom: 1px solid var(--line); box-shadow: 0 6px 16px #0002; }
.panel[hidden] { display: none; }
.panel p { margin: 0 0 8px; max-width: 60rem; }
table { border-collapse: collapse; width: 100%; max-width: 70rem; }
th { text-align: left; color: var(--soft); font-weight: 400; }
th, td { padding: 3px 14px 3px 0; vertical-align: top; border-bottom: 1px solid var(--line); }
td:first-child { overflow-wrap: anywhere; }
td:nth-child(2) { white-space: nowrap; font-variant-numeric: tabular-nums; }
.bad { color: var(--accent); font-weight: 600; }
@media (max-width: 60rem) { .years, .word { display: none; } }
@media (max-width: 42rem) { .bar { flex-wrap: wrap; } .bar > button { order: 1; } .bar > .open { margin-left: auto; } .asked { order: 2; } .others { order: 3; margin-left: 0; } td, th { padding-right: 8px; } }
`;

if (bannered !== null) {
  const { element, setAttr, dayOf, whenOf, isoOf, distance } = bannerWords;
  const setText = free((own(Node.prototype, "textContent") || {}).set), replaceChildren = free(Element.prototype.replaceChildren);
  const isConnected = getter(Node.prototype, "isConnected"), offsetHeight = getter(HTMLElement.prototype, "offsetHeight");
  const attachShadow = free(Element.prototype.attachShadow), addToRoot = free(ShadowRoot.prototype.append), getAttribute = free(Element.prototype.getAttribute);
  const removeAttribute = free(Element.prototype.removeAttribute), add = free(Element.prototype.append), focus = free(HTMLElement.prototype.focus);
  const responseText = free(Response.prototype.text), responseOK = getter(Response.prototype, "ok"), ask = self.fetch;
  const { round, max: most } = Math;

  const banner = { host: null, sheet: null, panel: null, notice: null, top: null, asked: null, others: null, open: false };
  const small = (on) => {
    setAttr(banner.host, "class", on ? "small" : "");
    makeRoom(on);
  };
  // makeRoom moves the page down, so that nothing of it is covered.
  const makeRoom = (away) => {
    try {
      if (!banner.sheet) banner.sheet = new CSSStyleSheet();
      const high = away ? 0 : offsetHeight(banner.top) + (banner.notice ? offsetHeight(banner.notice) : 0);
      banner.sheet.replaceSync(high ? `@media screen { :root { margin-top: ${high}px !important; scroll-padding-top: ${high}px !important; } }` : "");
      const sheets = document.adoptedStyleSheets;
      for (let i = 0; i < sheets.length; i++) if (sheets[i] === banner.sheet) return;
      document.adoptedStyleSheets = [...sheets, banner.sheet];
    } catch {} // it stands over the page's first lines then
  };

  const timeline = (told) => {
    let highest = 1;
    const list = element("ol", { class: "years", "aria-label": "Captures by year" });
    for (let i = 0; i < told.years.length; i++) highest = most(highest, told.years[i].count);
    for (let i = 0; i < told.years.length; i++) {
      const y = told.years[i], label = `${y.year}: ${y.count} capture${y.count === 1 ? "" : "s"}`;
      add(list, element("li", { class: begins(capturedAt, y.year) ? "now" : "" }, element("a", { href: y.list, title: label, "aria-label": label },
        element("i", { style: `height: ${most(12, round(100 * y.count / highest))}%` }))));
    }
    return list;
  };
  const step = (link, rel, text) => link && element("a", { class: "step", rel, href: link.path, title: `${rel === "prev" ? "Earlier" : "Later"}: ${whenOf(link.stamp)}` }, text);

  const fill = (told) => {
    if (told.asked) {
      setText(banner.asked, `${distance(capturedAt, told.asked)} than asked for`);
    }
    const count = `${told.more ? "more than " : ""}${told.count} capture${told.count === 1 ? "" : "s"}`;
    replaceChildren(banner.others, ...[
      step(told.prev, "prev", "‹ Earlier"), told.years.length > 1 ? timeline(told) : "", step(told.next, "next", "Later ›"),
      element("a", { class: "all", href: `${facts.prefix}*/${told.url}` }, count),
    ].filter((x) => x));
    makeRoom(false);
  };

  const show = () => {
    banner.host = element("linkstead-banner", { role: "region", "aria-label": "About this archived copy" });
    const root = attachShadow(banner.host, { mode: "closed" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(bannerStyle);
    root.adoptedStyleSheets = [sheet];
    const pill = element("button", { class: "pill", type: "button", "aria-label": `Archived on ${dayOf(capturedAt)}: show the banner` }, `Archived ${dayOf(capturedAt)}`);
    const hide = element("button", { type: "button", "aria-label": "Hide the banner", title: "Hide" }, "–");
    const details = element("button", { class: "open", type: "button", "aria-expanded": "false", "aria-controls": "panel" }, "Details");
    banner.panel = element("div", { class: "panel", id: "panel", tabindex: "-1", role: "group", "aria-label": "How this page was put together" });
    setAttr(banner.panel, "hidden", "");
    banner.asked = element("span", { class: "asked" });
    banner.others = element("span", { class: "others" });
    banner.top = element("div", { class: "bar" }, element("span", { class: "word" }, "Archived copy of"),
      element("time", { class: "when", datetime: isoOf(capturedAt) }, whenOf(capturedAt)), banner.asked, banner.others, details, hide);
    banner.notice = bannered ? element("p", { class: "notice", role: "status" }, bannered) : null;
    addToRoot(root, pill, banner.top, ...(banner.notice ? [banner.notice] : []), banner.panel);
    const toggle = (open) => {
      setAttr(details, "aria-expanded", open);
      if (open) {
        tellParts(banner.panel);
        removeAttribute(banner.panel, "hidden");
      } else setAttr(banner.panel, "hidden", "");
    };
    listen(details, "click", () => toggle((banner.open = !banner.open)));
    listen(root, "keydown", (e) => {
      if (e.key !== "Escape" || !banner.open) return;
      toggle((banner.open = false));
      focus(details);
    });
    listen(hide, "click", () => { small(true); focus(pill); });
    listen(pill, "click", () => { small(false); focus(hide); });
    place();
    listen(self, "load", place);
    listen(self, "resize", () => { makeRoom(getAttribute(banner.host, "class") === "small"); });
    then(ask(`/web/-/banner${facts.prefix}${facts.time}/${facts.url}`), (r) => responseOK(r) && then(responseText(r), (text) => fill(parse(text)))).catch(() => {});
  };
  const place = () => {
    if (!document.documentElement || isConnected(banner.host)) return;
    add(document.documentElement, banner.host);
    makeRoom(false);
  };
  listen(document, "DOMContentLoaded", () => { try { show(); } catch {} });
}
