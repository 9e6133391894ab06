// The room that the banner takes. The page is moved down by it, and so is what sticks to the top of the window: by animations,
// which change no attribute and no rule that the page's scripts could find, and make of no element a container of others as a
// transform would. They add to whatever the page's own rules say.
const bannerRoom = (() => {
  const parentOf = getter(Node.prototype, "parentElement"), boxOf = free(Element.prototype.getBoundingClientRect);
  const elementsAt = free(Document.prototype.elementsFromPoint), animate = free(Element.prototype.animate);
  const cancel = self.Animation && free(self.Animation.prototype.cancel), styleOf = self.getComputedStyle;
  const valueOf = free(CSSStyleDeclaration.prototype.getPropertyValue), { parseFloat } = self;
  const across = [0.02, 0.25, 0.5, 0.75, 0.98], maxMoved = 50;
  let high = 0, sheet = null, moved = [], waiting = false;

  const isMoved = (e) => {
    for (let i = 0; i < moved.length; i++) if (moved[i].element === e) return true;
    return false;
  };
  const held = { __proto__: null, duration: 1, fill: "both" };
  const move = (e) => {
    if (isMoved(e) || moved.length >= maxMoved) return;
    const style = styleOf(e), position = valueOf(style, "position"), top = parseFloat(valueOf(style, "top")), box = boxOf(e);
    if (position !== "fixed" && position !== "sticky" || !(top < high) || box.top >= high) return;
    if (position === "sticky") {
      for (let p = parentOf(e); p && p !== document.body && p !== document.documentElement; p = parentOf(p)) {
        if (valueOf(styleOf(p), "overflow-y") !== "visible") return; // it sticks to that, and moves with it
      }
    }
    const by = high + "px", list = [animate(e, { __proto__: null, top: [by, by] }, { ...held, composite: "add" })];
    if (position === "fixed" && box.height > self.innerHeight - high) {
      const most = self.innerHeight - high + "px";
      push(list, animate(e, { __proto__: null, maxHeight: [most, most] }, held)); // its end is not pushed out of the window
    }
    push(moved, { element: e, list });
  };
  const still = () => {
    for (let i = 0; i < moved.length; i++) for (let k = 0; k < moved[i].list.length; k++) cancel(moved[i].list[k]);
    moved = [];
  };
  // clear looks at what stands behind the banner, and moves it.
  const clear = (own) => {
    waiting = false;
    if (!high) return;
    const wide = self.innerWidth;
    for (let i = 0; i < across.length; i++) {
      for (let k = 0; k < 2; k++) {
        const found = elementsAt(document, across[i] * wide, k ? high - 2 : 2);
        for (let n = 0; n < found.length; n++) {
          const chain = [];
          for (let e = found[n]; e && e !== own && e !== document.body && e !== document.documentElement && chain.length < 200; e = parentOf(e)) push(chain, e);
          for (let c = chain.length - 1; c >= 0; c--) move(chain[c]); // the outer ones first: what they hold moves with them
        }
      }
    }
  };

  return {
    // take keeps so many pixels free at the top of the window.
    take: (pixels, own) => {
      try {
        if (!sheet) sheet = new CSSStyleSheet();
        if (pixels !== high) still();
        high = pixels;
        sheet.replaceSync(high ? `@media screen { :root { margin-top: ${high}px !important; scroll-padding-top: ${high}px !important; } }` : "");
        const sheets = document.adoptedStyleSheets;
        let there = false;
        for (let i = 0; i < sheets.length; i++) there = there || sheets[i] === sheet;
        if (!there) document.adoptedStyleSheets = [...sheets, sheet];
        clear(own);
      } catch {} // it stands over the page's first lines then
    },
    // look moves what has come to stand behind the banner since.
    look: (own) => {
      if (waiting) return;
      waiting = true;
      setTimeout(() => { try { clear(own); } catch {} }, 100);
    },
  };
})();
