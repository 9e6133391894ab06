(function () {
  "use strict";
  var facts = document.getElementById("facts");
  function tell(what) { var p = document.createElement("p"); p.textContent = what; facts.appendChild(p); }
  // Menus find the entry of the page that is shown.
  [].forEach.call(document.querySelectorAll("#nav a"), function (a) {
    if (a.href === location.href) a.className = "on";
    if (a.getAttribute("href").indexOf("http") === 0) a.style.color = "red";
    if (a.hostname !== location.hostname) a.textContent += " ↗";
  });
  tell(["at", location.href, location.pathname, document.URL, document.domain, self === top].join(" "));
  tell(document.querySelector('a[href="here.html"]') ? "a link is found by its address" : "no link by its address");
  tell(document.scripts.length + " scripts, " + document.getElementsByTagName("*").length + " elements, first " + document.head.firstElementChild.tagName);
  localStorage.setItem("k", "kept"); document.cookie = "c=1"; tell(localStorage.getItem("k") + " " + document.cookie);
  [].forEach.call(document.querySelectorAll("#lazy img"), function (i) { i.src = i.dataset.src; });
  tell(document.querySelector("#lazy img").dataset.src + " " + document.querySelector("#lazy img").getAttribute("data-src"));
  document.body.insertAdjacentHTML("beforeend", '<p style="background:url(dot.png)">put in as markup <img src="big.png" width=30> <a href="here.html">on</a></p>');
  customElements.define("x-card", class extends HTMLElement {
    connectedCallback() {
      this.attachShadow({ mode: "open" }).innerHTML = '<style>:host { background: #eef url(dot.png) } b { color: #339 }</style><div><img src="big.png" width="30"><b>' + this.getAttribute("name") + "</b></div>";
    }
  });
  var image = new Image();
  image.onload = function () {
    var c = document.getElementById("canvas").getContext("2d");
    c.fillStyle = "#fed"; c.fillRect(0, 0, 300, 120); c.drawImage(image, 10, 10); c.font = "20px sans-serif"; c.fillStyle = "#333"; c.fillText("on a canvas", 100, 60);
    try { tell("a pixel: " + c.getImageData(12, 12, 1, 1).data.join()); } catch (e) { tell("tainted"); }
    document.documentElement.dataset.drawn = 1;
  };
  image.src = "big.png";
  fetch("list.json").then(function (r) { return r.json(); }).then(function (l) {
    document.getElementById("list").innerHTML = l.map(function (x) { return '<span class="card"><img src="' + x.picture + '" width="40"> ' + x.name + "</span>"; }).join("");
    document.documentElement.dataset.fetched = 1;
  });
  var x = new XMLHttpRequest();
  x.open("GET", "part.html"); x.onload = function () { document.getElementById("part").innerHTML = x.responseText; document.documentElement.dataset.part = 1; }; x.send();
})();
