// Buttons that copy a text of the page. Without scripts the text is selected and copied by hand.
"use strict";

// What cannot be copied, as over plain http from elsewhere, is at least selected.
async function copy(button) {
  const source = document.getElementById(button.dataset.copies);
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = button.dataset.said;
    const told = document.getElementById("news");
    if (told) told.textContent = button.dataset.said;
  } catch {
    getSelection().selectAllChildren(source);
  }
}

document.documentElement.classList.add("scripted");
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copies]");
  if (button) copy(button);
});
