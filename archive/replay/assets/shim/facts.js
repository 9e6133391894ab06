// What the archive's address tells of the page: its URL, and the time that was asked for.
const here = new URL(document.baseURI);
const address = /^\/web\/(\d{1,14})(?:[a-z]{2}_)?\/((?:https?|file):.*)$/s;
const rooted = /^\/web\/(?:\d{1,14}(?:[a-z]{2}_)?|\d*\*|-)\//;

// read tells time and URL of the page that an address of ours shows.
const read = (u) => {
  const m = address.exec(u.pathname + u.search);
  return m && { time: m[1], url: m[2] };
};
const first = read(here);
if (!first) return;
const current = () => read(new URL(document.baseURI)) || first;
