// What banner and panel are made with: elements, and words for times. All that they call was taken before the page's scripts.
const bannerWords = (() => {
  const create = free(Document.prototype.createElement), add = free(Element.prototype.append), setAttr = free(Element.prototype.setAttribute);
  const { UTC } = Date, { abs, round } = Math;

  // element makes one of tag, attributes and children; texts are texts, never markup.
  const element = (name, attributes, ...children) => {
    const e = create(document, name);
    for (const key in attributes) if (attributes[key] !== undefined && attributes[key] !== null) setAttr(e, key, S(attributes[key]));
    for (let i = 0; i < children.length; i++) if (children[i]) add(e, children[i]);
    return e;
  };

  const months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
  const field = (stamp, from, to) => +slice(stamp, from, to);
  const dayOf = (stamp) => `${field(stamp, 6, 8)} ${months[field(stamp, 4, 6) - 1]} ${slice(stamp, 0, 4)}`;
  const whenOf = (stamp) => `${dayOf(stamp)}, ${slice(stamp, 8, 10)}:${slice(stamp, 10, 12)} UTC`;
  const isoOf = (s) => `${slice(s, 0, 4)}-${slice(s, 4, 6)}-${slice(s, 6, 8)}T${slice(s, 8, 10)}:${slice(s, 10, 12)}:${slice(s, 12, 14)}Z`;
  const secondsOf = (s) => UTC(field(s, 0, 4), field(s, 4, 6) - 1, field(s, 6, 8), field(s, 8, 10), field(s, 10, 12), field(s, 12, 14)) / 1000;
  const units = [[31556952, "year"], [2629746, "month"], [86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];
  const spanOf = (seconds) => {
    for (let i = 0; i < units.length; i++) {
      const n = round(seconds / units[i][0]);
      if (seconds >= units[i][0]) return `${n} ${units[i][1]}${n === 1 ? "" : "s"}`;
    }
    return "no time";
  };
  // distance says how far a time is from another.
  const distance = (stamp, from) => {
    const d = secondsOf(stamp) - secondsOf(from);
    return d === 0 ? "the same second" : `${spanOf(abs(d))} ${d < 0 ? "earlier" : "later"}`;
  };

  return { element, setAttr, dayOf, whenOf, isoOf, secondsOf, distance };
})();
