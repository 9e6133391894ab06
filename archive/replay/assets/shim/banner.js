// The banner: what of a page's past is shown, and what else there is. It stands in a closed shadow tree, whose own rules for the
// host go before any of the page's (CSS Scoping §3.3.2: of important rules the inner ones win).
const bannerStyle = `
:host { all: initial !important; direction: ltr !important; unicode-bidi: isolate !important; position: fixed !important; inset: 0 0 auto 0 !important; z-index: 2147483647 !important; display: block !important; color-scheme: light dark !important;
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
[hidden] { display: none !important; }
.panel p { margin: 0 0 8px; max-width: 60rem; }
table { border-collapse: collapse; width: 100%; max-width: 70rem; }
th { text-align: left; color: var(--soft); font-weight: 400; }
th, td { padding: 3px 14px 3px 0; vertical-align: top; border-bottom: 1px solid var(--line); }
td:first-child { overflow-wrap: anywhere; }
td:nth-child(2) { white-space: nowrap; font-variant-numeric: tabular-nums; }
.bad { color: var(--accent); font-weight: 600; }
@media (max-width: 60rem) { .years, .word { display: none; } }
@media (max-width: 42rem) { .bar { flex-wrap: wrap; } .bar > button { order: 1; } .bar > .open { margin-left: auto; } .asked { order: 2; } .others { order: 3; margin-left: 0; } 
  table, tbody, tr, td { display: block; padding: 0; border: 0; } thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tr { padding: 5px 0; border-bottom: 1px solid var(--line); } td + td { display: inline; } td:nth-child(2)::after { content: " · "; } }
`;

if (bannered !== null) {
  const { element, setAttr, dayOf, whenOf, isoOf, distance } = bannerWords;
  const setText = free((own(Node.prototype, "textContent") || {}).set), replaceChildren = free(Element.prototype.replaceChildren);
  const isConnected = getter(Node.prototype, "isConnected"), offsetHeight = getter(HTMLElement.prototype, "offsetHeight");
  const attachShadow = free(Element.prototype.attachShadow), addToRoot = free(ShadowRoot.prototype.append), getAttribute = free(Element.prototype.getAttribute);
  const removeAttribute = free(Element.prototype.removeAttribute), add = free(Element.prototype.append), focus = free(HTMLElement.prototype.focus);
  const prevent = free(Event.prototype.preventDefault), insertBefore = free(Node.prototype.insertBefore), parentOf = getter(Node.prototype, "parentNode");
  const responseText = free(Response.prototype.text), responseOK = getter(Response.prototype, "ok");
  const { round, max: most } = Math;

  const banner = { host: null, panel: null, notice: null, top: null, asked: null, others: null, open: false };
  const small = (on) => {
    setAttr(banner.host, "class", on ? "small" : "");
    makeRoom(on);
  };
  const makeRoom = (away) => bannerRoom.take(away ? 0 : offsetHeight(banner.top) + (banner.notice ? offsetHeight(banner.notice) : 0), banner.host);

  const timeline = (told) => {
    let highest = 1, at = told.years.length - 1;
    const list = element("ol", { class: "years", "aria-label": "Captures by year" }), links = [];
    for (let i = 0; i < told.years.length; i++) highest = most(highest, told.years[i].count);
    for (let i = 0; i < told.years.length; i++) {
      const y = told.years[i], label = `${y.year}: ${y.count} capture${y.count === 1 ? "" : "s"}`;
      const now = begins(capturedAt, y.year), link = element("a", { href: y.list, title: label, "aria-label": label, tabindex: "-1" },
        element("i", { style: `height: ${most(12, round(100 * y.count / highest))}%` }));
      if (now) at = i;
      push(links, link);
      add(list, element("li", { class: now ? "now" : "" }, link));
    }
    // One stop of the Tab key leads to all of them, and arrows from one to the next.
    setAttr(links[at], "tabindex", "0");
    listen(list, "keydown", (e) => {
      const to = e.key === "ArrowLeft" ? at - 1 : e.key === "ArrowRight" ? at + 1 : e.key === "Home" ? 0 : e.key === "End" ? links.length - 1 : -1;
      if (to < 0 || to >= links.length) return;
      prevent(e);
      setAttr(links[at], "tabindex", "-1");
      setAttr(links[(at = to)], "tabindex", "0");
      focus(links[at]);
    });
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
      } else {
        tellParts(null);
        setAttr(banner.panel, "hidden", "");
      }
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
    const look = () => bannerRoom.look(banner.host);
    listen(self, "scroll", look, { __proto__: null, capture: true, passive: true });
    listen(self, "click", look, true);
    listen(self, "load", () => { for (let i = 1; i < 4; i++) setTimeout(look, i * i * 400); }); // what scripts show a little later
    then(askArchive(`/web/-/banner${facts.prefix}${facts.time}/${facts.url}`), (r) => responseOK(r) && then(responseText(r), (text) => fill(parse(text)))).catch(() => {});
  };
  // It stands before the body, so that the Tab key comes to it first.
  const place = () => {
    const top = document.documentElement, body = document.body;
    if (!top || isConnected(banner.host)) return;
    insertBefore(top, banner.host, body && parentOf(body) === top ? body : null);
    makeRoom(false);
  };
  listen(document, "DOMContentLoaded", () => { try { show(); } catch {} });
}
