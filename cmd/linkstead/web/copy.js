// Puts a button beside each citation that copies it. Without this script, a click on a citation selects all of it.
"use strict";
for (const section of document.querySelectorAll("section[data-copy]")) {
  const text = section.querySelector("pre");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-label", "Copy the citation as " + section.dataset.copy);
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      said.textContent = "Copied.";
    } catch {
      getSelection().selectAllChildren(text);
      said.textContent = "Selected: copy it with your keyboard.";
    }
  });
  section.querySelector(".actions").prepend(button, said);
}
