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
