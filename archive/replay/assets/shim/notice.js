// What the archive tells of a copy that shows a wall stands over the page, out of reach of its styles.
const notice = document.currentScript && document.currentScript.getAttribute("data-archive-notice");
const tell = () => {
  const bar = document.createElement("linkstead-notice");
  const text = document.createElement("p");
  text.textContent = notice;
  text.setAttribute("role", "status");
  bar.style.cssText = "all: initial !important; display: block !important; position: fixed !important; inset: 0 0 auto 0 !important; z-index: 2147483647 !important";
  text.style.cssText = "margin: 0; padding: .6em 1em; font: 16px/1.4 system-ui, sans-serif; color: #000; background: #ffdf80; border-bottom: 2px solid #8a5a00";
  const close = document.createElement("button");
  close.textContent = "Close";
  close.type = "button";
  close.style.cssText = "all: revert; float: right; margin: 0 0 0 1em; font: inherit; cursor: pointer";
  const root = document.documentElement;
  const margin = [root.style.getPropertyValue("margin-top"), root.style.getPropertyPriority("margin-top")];
  close.addEventListener("click", () => {
    bar.remove();
    root.style.setProperty("margin-top", ...margin);
  });
  text.prepend(close);
  bar.attachShadow({ mode: "closed" }).append(text);
  root.append(bar);
  root.style.setProperty("margin-top", text.offsetHeight + "px", "important"); // so that it hides nothing of the page
};
if (notice) addEventListener("DOMContentLoaded", tell);
