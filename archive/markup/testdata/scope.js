'use strict';
// What scripts in the wild do with the names: none of the comments, strings and patterns changes: location, top.
(function (w, d, location_) {
  var top = 0, left = 0, el = d.getElementById('location');
  if (w.top !== w.self) w.top.location = w.location.href; // a frame buster
  function offset(el, top) {
    for (top = 0; el; el = el.offsetParent) top += el.offsetTop;
    return { top: top, left };
  }
  const { hostname, pathname } = location;
  const { location: l, top: { length } } = window;
  el.style.top = offset(el).top + 'px';
  window.onhashchange = () => route(location.hash.replace(/^#\/?top\//, `${location.pathname}/${top}`));
  switch (location.protocol) {
    case 'https:': return { location, top };
    default: location = 'https://' + location.host; location.hash ||= '#top';
  }
  if (typeof location === 'object' && 'location' in w) w['location'].assign(d.location?.origin);
  class Router extends w.Base {
    location = location;
    static top = top;
    top() { return super.location ?? this.location; }
    get location() { return new w.location.constructor(); }
  }
  top: while (true) { if (top++ > 1) break top; }
  parent.postMessage({ location: location.href, top }, '*');
  return eval('location.href') + (0, eval)(code) + new Function('return top')();
})(this, document);
import(base + '/chunk.js').then(({ top }) => top(location));
