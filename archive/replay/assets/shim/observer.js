// The net under all that: an element that came by its reference in a way that none of the above saw is put right.
const astrayNames = ["src", "href", "srcset", "imagesrcset", "poster", "data", "action", "formaction", "background", "style", "integrity"];
const astray = 'link[integrity],script[integrity],[style*="//"],meta[http-equiv="refresh" i],[srcset*="//"],[imagesrcset*="//"],' +
  ["src", "href", "poster", "data", "action", "formaction", "background"].map((n) => ["http://", "https://", "//"].map((s) => `[${n}^="${s}" i]`).join()).join();
const removeAttribute = free(element.removeAttribute), text = getter(Node.prototype, "textContent"), setText = free(own(Node.prototype, "textContent").set);
const nativeSet = free(weakGet(masks, element.setAttribute));

const right = (el, name) => {
  const value = getAttribute(el, name);
  if (value === null) return;
  const to = isMeta(el) ? metaTurned(el, name, value) : turned(el, name, value);
  if (to === undefined) {
    removeAttribute(el, name);
    nativeSet(el, keptAs(name), value);
  } else if (to !== value) nativeSet(el, name, to);
};
const rightElement = (el) => {
  for (let i = 0; i < astrayNames.length; i++) right(el, astrayNames[i]);
  if (isMeta(el)) right(el, "content");
  if (isStyle(el)) {
    const css = text(el), to = insideCSS(css);
    if (to !== css) setText(el, to);
  }
};
const matches = free(element.matches);
const queries = { __proto__: null, 1: free(element.querySelectorAll), 9: free(Document.prototype.querySelectorAll), 11: free(DocumentFragment.prototype.querySelectorAll) };
const rightAll = (node) => {
  const type = nodeType(node), query = queries[type];
  if (type === 1 && matches(node, astray)) rightElement(node);
  if (query) for (let list = query(node, astray), i = 0; i < list.length; i++) rightElement(list[i]);
};

const recordType = getter(proto("MutationRecord"), "type"), recordTarget = getter(proto("MutationRecord"), "target");
const recordAdded = getter(proto("MutationRecord"), "addedNodes"), recordName = getter(proto("MutationRecord"), "attributeName");
const readyState = getter(Document.prototype, "readyState");
const contains = free(Node.prototype.contains);
const observe = free(MutationObserver.prototype.observe);
const observer = new MutationObserver((records) => {
  let last = null;
  for (let i = 0; i < records.length; i++) {
    const record = records[i], target = recordTarget(record);
    try {
      if (recordType(record) === "attributes") {
        if (matches(target, astray)) right(target, recordName(record));
        continue;
      }
      if (isStyle(target) && readyState(document) !== "loading") rightElement(target); // before, the server saw it
      const added = recordAdded(record);
      for (let k = 0; k < added.length; k++) {
        if (last && contains(last, added[k])) continue; // it was looked through with what holds it
        rightAll((last = added[k]));
      }
    } catch {}
  }
});
const watch = (node) => observe(observer, node, { __proto__: null, subtree: true, childList: true, attributes: true, attributeFilter: astrayNames });
begin(() => watch(document));
method(element, "attachShadow", (it, args, native) => {
  const root = apply(native, it, args);
  watch(root);
  return root;
});
