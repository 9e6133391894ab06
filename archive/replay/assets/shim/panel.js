// The panel: of which captures a page is made, how far they are from its own, and what is not there. It says so of what was
// shown, not of what might be.
const tellParts = (() => {
  const { element, setAttr, whenOf, secondsOf, distance } = bannerWords;
  const removeAttribute = free(Element.prototype.removeAttribute), replaceChildren = free(Element.prototype.replaceChildren);
  const { abs } = Math;
  const maxRows = 200, maxFrames = 50;

  // frameParts takes what frames of the same site asked for; what those of others hold is theirs to tell.
  const frameParts = (w, depth, left) => {
    for (let i = 0; i < w.length && left.n > 0; i++) {
      left.n--;
      try {
        const entries = w[i].performance.getEntriesByType("resource");
        for (let k = 0; k < entries.length; k++) notePart(entries[k]);
        if (depth > 0) frameParts(w[i], depth - 1, left);
      } catch {
        left.foreign++;
      }
    }
  };

  // lacking says why a part is not there; "" if it is.
  const lacking = (p) => p.missing ? "missing: the archive has no copy" : p.withheld ? "not open to readers" : p.fault ? "the archive can't show its copy just now" : "";
  const kinds = ["missing", "withheld", "fault"];
  // gone says of an answer that was an error what it was.
  const gone = (p) => (p.status === "404" || p.status === "410" ? `was missing then, too: ${p.status}` : `failed then, too: its server answered ${p.status}`);

  const judged = () => {
    const rows = [], count = { shown: 0, near: 0, missing: 0, withheld: 0, fault: 0, gone: 0, fuzzy: 0, walls: 0, untold: 0 };
    let earliest = capturedAt, latest = capturedAt;
    for (let i = 0; i < partList.length; i++) {
      const p = partList[i], lacks = lacking(p);
      if (lacks) {
        for (let k = 0; k < kinds.length; k++) if (p[kinds[k]]) count[kinds[k]]++;
        push(rows, { rank: 4e12, url: p.url, when: "–", what: lacks, bad: true });
        continue;
      }
      if (!p.taken) {
        count.shown++;
        count.untold++;
        push(rows, { rank: 1, url: p.url, when: "–", what: "the browser does not tell when it was captured" });
        continue;
      }
      const far = abs(secondsOf(p.taken) - secondsOf(capturedAt));
      if (p.status) {
        count.gone++;
        push(rows, { rank: 3.5e12, url: p.url, when: whenOf(p.taken), what: `${distance(p.taken, capturedAt)}; ${gone(p)}`, bad: true });
        continue;
      }
      count.shown++;
      if (p.wall) count.walls++;
      if (p.fuzzy) count.fuzzy++;
      if (far <= 86400) count.near++;
      if (p.taken < earliest) earliest = p.taken;
      if (p.taken > latest) latest = p.taken;
      let what = distance(p.taken, capturedAt);
      if (p.fuzzy) what += "; of a nearly equal address";
      if (p.wall) what += "; it shows a wall, not what was asked for";
      push(rows, { rank: far + (p.fuzzy || p.wall ? 3e12 : 0), url: p.url, when: whenOf(p.taken), what, bad: p.fuzzy || p.wall });
    }
    for (let i = 0; i < stopped.length; i++) {
      const source = read(stopped[i].url);
      push(rows, { rank: 5e12, url: source ? source.url : stopped[i].url, when: "–", what: `stopped: it would have left the archive (${stopped[i].kind})`, bad: true });
    }
    rows.sort((a, b) => b.rank - a.rank);
    return { rows, count, earliest, latest };
  };

  const plural = (n, one, many = one + "s") => `${n} ${n === 1 ? one : many}`;
  const summary = ({ count, earliest, latest }, foreign) => {
    const far = count.shown - count.near - count.untold;
    let text = count.shown === 0 ? "This page is shown without any other part. " :
      `Beside itself, this page shows ${plural(count.shown, "part")}: ${count.near} captured within a day of it` + (far ? `, ${far} further away. ` : ". ");
    if (earliest !== capturedAt) text += `The earliest part is ${distance(earliest, capturedAt)}. `;
    if (latest !== capturedAt) text += `The latest part is ${distance(latest, capturedAt)}. `;
    if (count.missing) text += `${plural(count.missing, "part is", "parts are")} missing. `;
    if (count.gone) text += `${plural(count.gone, "part was", "parts were")} missing then, too, or failed. `;
    if (count.withheld) text += `${plural(count.withheld, "part is", "parts are")} not open to readers. `;
    if (count.fault) text += `${plural(count.fault, "part", "parts")} can't be shown just now. `;
    if (!count.missing && !count.gone && !count.withheld && !count.fault) text += "No part that was asked for is missing. ";
    if (stopped.length) text += `${plural(stopped.length, "request")} beyond the archive ${stopped.length === 1 ? "was" : "were"} stopped. `;
    if (count.fuzzy) text += `${plural(count.fuzzy, "part")} of nearly the same address ${count.fuzzy === 1 ? "stands" : "stand"} in. `;
    if (count.walls) text += `${plural(count.walls, "part shows", "parts show")} a wall. `;
    if (foreign) text += `${plural(foreign, "frame")} can't be looked into. `;
    return text;
  };

  // settle asks for what the browser did not tell of: to a page in an opaque origin it tells nothing of what failed.
  const settle = (done) => {
    let open = 0; // at once
    const one = () => { if (--open === 0) done(); };
    for (let i = 0; i < partList.length && open < 50; i++) {
      const p = partList[i];
      if (known(p) || p.asking) continue;
      open++;
      p.asking = true;
      const address = `${facts.home}${facts.prefix}${p.asked}${p.mod}/${p.url}`;
      then(askArchive(address, { method: "HEAD" }), (r) => {
        try { noteAnswer(address, r); } catch {}
        one();
      }, one);
    }
  };

  // filled makes what a panel holds, and tells how to tell it anew: its links stay, and what has the focus among them.
  const filled = (panel) => {
    const text = element("p", {}), more = element("p", {}), body = element("tbody", { role: "rowgroup" });
    const column = (name) => element("th", { scope: "col", role: "columnheader" }, name);
    const head = element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, column("Part"), column("Captured"), column("From the page")));
    const table = element("table", { role: "table" }, head, body);
    replaceChildren(panel, text, element("p", {}, element("a", { class: "step", href: `${facts.prefix}${facts.time}id_${facts.pick || ""}/${facts.url}` }, "Exact bytes"), " · ",
      element("a", { class: "step", href: "/web/-/home" }, "The archive")), table, more);
    const cell = (name, bad) => element("td", { role: "cell", class: bad ? "bad" : "" }, name);
    return (foreign) => {
      const all = judged(), rows = [];
      for (let i = 0; i < all.rows.length && i < maxRows; i++) {
        const r = all.rows[i];
        push(rows, element("tr", { role: "row" }, cell(r.url), cell(r.when), cell(r.what, r.bad)));
      }
      replaceChildren(text, `Captured on ${whenOf(capturedAt)}. ` + summary(all, foreign));
      if (rows.length) removeAttribute(table, "hidden");
      else setAttr(table, "hidden", "");
      replaceChildren(body, ...rows);
      replaceChildren(more, all.rows.length > maxRows ? `and ${all.rows.length - maxRows} more` : "");
    };
  };

  let tell = null, waiting = false;
  const again = () => {
    if (waiting) return;
    waiting = true;
    setTimeout(() => {
      waiting = false;
      if (partsChanged === again) try { settle(again); tell(); } catch {}
    }, 250);
  };
  // It is given a panel that is open, or null if none is any more.
  return (panel) => {
    partsChanged = () => {};
    if (!panel) return;
    const left = { n: maxFrames, foreign: 0 };
    frameParts(self, 3, left);
    const fill = filled(panel);
    tell = () => fill(left.foreign);
    tell();
    partsChanged = again;
    settle(again);
  };
})();
