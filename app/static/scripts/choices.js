/* A choice that excludes the others of its group («Ingen av disse», `data-alone`) clears them, and they clear it.

   Without it: both can be chosen, and the server says what is wrong. */
(() => {
  "use strict";
  document.addEventListener("change", ({ target: box }) => {
    if (box.type !== "checkbox" || !box.checked || !box.form) return;
    for (const other of box.form.elements) {
      if (other.name !== box.name || other === box || other.type !== "checkbox") continue;
      if ("alone" in box.dataset || "alone" in other.dataset) other.checked = false;
    }
  }, true);
})();
