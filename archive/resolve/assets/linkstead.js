/* linkstead.js: marks the links of a page that are dead or have drifted, and offers the copy that an archive keeps beside each.
 *
 *   <script src="https://ARCHIVE/linkstead.js" defer data-date="2016-02-21"></script>
 *
 * data-date      when the links were written; else what the page says of itself (article:published_time, time[datetime])
 * data-select    which links, as a CSS selector; else those of article, main, or all
 * data-copy, data-about   the words of the link to a copy and of the one that explains; {date} in the first stands for its day
 *
 * It keeps nothing in the browser, sends no cookies and no referrer, and asks the archive alone, about the addresses that the page links to.
 * Apache-2.0. */
(function () {
  "use strict";
  var me = document.currentScript;
  if (!me || !me.src || !window.fetch || !window.Promise || !Element.prototype.closest) return;
  var home = new URL(me.src, document.baseURI).origin;
  var MOST = 500, BATCH = 40, ROOM = 6000;
  var WORDS = {
    en: ["archived copy of {date}", "about this link"],
    de: ["archivierte Kopie vom {date}", "über diesen Link"],
    fr: ["copie archivée du {date}", "à propos de ce lien"],
    es: ["copia archivada del {date}", "acerca de este enlace"],
    it: ["copia archiviata del {date}", "informazioni su questo link"]
  };

  function meta(selector, attribute) {
    var e = document.querySelector(selector);
    return e ? e.getAttribute(attribute) : "";
  }

  function dated() {
    return me.getAttribute("data-date") || meta('meta[property="article:published_time"]', "content") ||
      meta('meta[name="date"]', "content") || meta("article time[datetime], main time[datetime]", "datetime") || "";
  }

  // links are those to other sites, by address.
  function links() {
    var by = new Map();
    var found = document.querySelectorAll(me.getAttribute("data-select") || "article a[href], main a[href]");
    if (!found.length && !me.hasAttribute("data-select")) found = document.querySelectorAll("a[href]");
    for (var i = 0; i < found.length; i++) {
      var a = found[i], u;
      if (a.closest(".linkstead-note")) continue;
      try {
        u = new URL(a.getAttribute("data-originalurl") || a.href, document.baseURI);
      } catch (e) {
        continue;
      }
      if (u.protocol !== "http:" && u.protocol !== "https:" || u.origin === location.origin || u.origin === home) continue;
      u.hash = "";
      if (!by.has(u.href)) {
        if (by.size >= MOST) continue;
        by.set(u.href, []);
      }
      by.get(u.href).push(a);
    }
    return by;
  }

  function ask(urls, at) {
    var q = new URLSearchParams();
    q.set("format", "json");
    if (at) q.set("at", at);
    urls.forEach(function (u) { q.append("url", u); });
    return fetch(home + "/resolve?" + q, {mode: "cors", credentials: "omit", referrerPolicy: "no-referrer", headers: {Accept: "application/json"}})
      .then(function (r) { return r.ok ? r.json() : {links: []}; })
      .then(function (said) { return said.links || []; });
  }

  function web(u) {
    return typeof u === "string" && /^https?:\/\//i.test(u);
  }

  function language(of) {
    var e = of.closest("[lang]");
    return (e ? e.getAttribute("lang") : "") || "en";
  }

  function day(iso, lang) {
    var d = new Date(iso);
    if (isNaN(d)) return iso;
    try {
      return d.toLocaleDateString(lang, {day: "numeric", month: "long", year: "numeric", timeZone: "UTC"});
    } catch (e) {
      return iso.slice(0, 10);
    }
  }

  // mark tells of one link. What comes from the archive is put in as text and as addresses of the web alone.
  function mark(a, said) {
    var how = said.does === "copy" ? "dead" : said.does === "explain" ? "doubtful" : said.does === "withheld" ? "withheld" : "";
    var copy = said.copy && web(said.copy.url) ? said.copy : null;
    if (copy && !a.hasAttribute("data-versionurl")) {
      a.setAttribute("data-originalurl", said.url);
      a.setAttribute("data-versionurl", copy.url);
      a.setAttribute("data-versiondate", String(copy.at).slice(0, 10));
    }
    if (!how || a.getAttribute("data-linkstead")) return;
    a.setAttribute("data-linkstead", said.verdict);
    a.classList.add("linkstead-" + how);
    if (!a.title && said.says) a.title = said.says;
    var to = how === "dead" && copy ? copy.url : said.about;
    if (!web(to)) return;
    var lang = language(a), words = WORDS[lang.slice(0, 2).toLowerCase()] || WORDS.en;
    var note = document.createElement("span"), link = document.createElement("a"), hidden = document.createElement("span");
    note.className = "linkstead-note";
    link.href = to;
    link.rel = "noopener";
    link.textContent = how === "dead" && copy ? (me.getAttribute("data-copy") || words[0]).replace("{date}", day(copy.at, lang))
      : me.getAttribute("data-about") || words[1];
    hidden.className = "linkstead-says"; // for who hears the page and not sees it: which link, and what is the matter with it
    hidden.textContent = ": " + (a.textContent.trim().slice(0, 80) || said.url) + ". " + (said.says || "");
    link.appendChild(hidden);
    note.appendChild(document.createTextNode(" ["));
    note.appendChild(link);
    note.appendChild(document.createTextNode("]"));
    a.parentNode.insertBefore(note, a.nextSibling);
  }

  function style() {
    if (document.getElementById("linkstead-style")) return;
    var s = document.createElement("style");
    s.id = "linkstead-style";
    if (me.nonce) s.nonce = me.nonce;
    s.textContent = ".linkstead-dead,.linkstead-withheld{text-decoration:underline line-through}.linkstead-doubtful{text-decoration:underline wavy}" +
      ".linkstead-note{font-size:.85em;white-space:normal}" +
      ".linkstead-says{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}";
    document.head.appendChild(s);
  }

  function run() {
    var by = links(), at = dated(), batches = [[]], room = ROOM;
    by.forEach(function (_, u) {
      var size = encodeURIComponent(u).length + 5;
      if (size > ROOM) return;
      if (batches[batches.length - 1].length === BATCH || size > room) {
        batches.push([]);
        room = ROOM;
      }
      room -= size;
      batches[batches.length - 1].push(u);
    });
    if (!batches[0].length) return;
    style();
    // One after the other: a page with many links is no reason to hurry.
    batches.reduce(function (before, urls) {
      return before.then(function () { return ask(urls, at); }).then(function (all) {
        all.forEach(function (said) {
          (by.get(said.url) || []).forEach(function (a) { mark(a, said); });
        });
      });
    }, Promise.resolve()).catch(function () { /* the archive is away: the page stays as it is */ });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", run);
  else run();
})();
