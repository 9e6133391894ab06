// Pages that a page makes as blobs have addresses that tell nothing. They get this script, too, and their references are turned. What is
// in a blob is read at once, since its address is wanted at once; what can't be read or brought into order is shown as text.
const nativeOf = (f) => weakGet(masks, f) || f;
const xhr = proto("XMLHttpRequest"), xhrOpen = free(nativeOf(xhr.open)), xhrSend = free(nativeOf(xhr.send)), xhrText = free(nativeOf(own(xhr, "responseText").get));
const blobSize = getter(Blob.prototype, "size"), maxDocument = 16 << 20; // bytes; a longer one is text
const NativeXHR = weakGet(masks, self.XMLHttpRequest) || self.XMLHttpRequest;
const textIn = (url) => {
  const x = new NativeXHR();
  xhrOpen(x, "GET", url, false);
  xhrSend(x);
  return xhrText(x);
};

const parseXML = free(nativeOf(DOMParser.prototype.parseFromString)), serialise = free(XMLSerializer.prototype.serializeToString);
const rootOf = getter(Document.prototype, "documentElement"), insertBefore = free(nativeOf(Node.prototype.insertBefore)), removeNode = free(nativeOf(Node.prototype.removeChild));
const firstChild = getter(Node.prototype, "firstChild"), nextSibling = getter(Node.prototype, "nextSibling"), createNS = free(nativeOf(Document.prototype.createElementNS));
const setPlainly = free(nativeOf(Element.prototype.setAttribute));
const lively = /<!|script|\son\w+\s*=|foreignobject|xhtml|<\?xml-stylesheet/i; // else a drawing is no more than that
const xhtml = "http://www.w3.org/1999/xhtml";

// insideXML is a document in XML with this script as its first element; null if that can't be.
const insideXML = (source) => {
  const d = parseXML(new DOMParser(), source, "application/xml"), top = rootOf(d);
  if (kind(top) === "script" || within(source, "parsererror") || d.getElementsByTagName("parsererror").length > 0) return null;
  for (let n = firstChild(d), next; n; n = next) {
    next = nextSibling(n);
    if (nodeType(n) === 7 || nodeType(n) === 10) removeNode(d, n); // a style sheet could make any document of it; entities are in their places
  }
  rightAll(d);
  const s = createNS(d, xhtml, "script");
  setPlainly(s, "src", facts.shim);
  setPlainly(s, "data-page", pageFacts());
  insertBefore(top, s, firstChild(top));
  return serialise(new XMLSerializer(), d);
};

asDocument = (blob) => {
  const type = lower(blobType(blob)), html = exec(/^\s*text\/html\b/, type);
  if (!facts.shim || (!html && !exec(/^\s*(?:text|application)\/xml\b|\+xml\b|^\s*text\/xsl\b/, type))) return blob;
  const plain = new Blob([blob], { __proto__: null, type: "text/plain;charset=utf-8" });
  const usual = root;
  root = wholeRoot;
  try {
    if (blobSize(blob) > maxDocument) return plain;
    const url = createObjectURL(URL, blob), text = textIn(url);
    revokeObjectURL(URL, url);
    if (!html && exec(/^image\/svg/, type) && !exec(lively, text)) return blob;
    const made = html ? insideDocument(text) : insideXML(text);
    return made === null ? plain : new Blob([made], { __proto__: null, type: html ? "text/html;charset=utf-8" : type });
  } catch {
    return plain;
  } finally {
    root = usual;
  }
};
