/* The list on screen: scrolled and unfolded as it was when its rows are replaced, and the focus on a criterion that is wrong.

   Without it: new rows are shown from the left edge, folded (as on each whole page without JavaScript).

   Uses `waiting`. */
(() => {
  "use strict";
  const scrolled = () => document.querySelectorAll("#resultat .scroll, #resultat thead");
  let offsets = []; // how far these were scrolled to the side
  let wasUnfolded = false;

  document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
    if (!waiting.isOn(ctx, "resultat")) return;
    offsets = [...scrolled()].map((box) => box.scrollLeft);
    wasUnfolded = Boolean(document.querySelector(".folded > [open]"));
  });

  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    const isOnList = waiting.isOn(ctx, "resultat");
    if (isOnList && ctx.target === ctx.waiting) restore(ctx.target);
    // The user who has sent the form, or closes the panel, is led to what is wrong.
    if (waiting.isOn(ctx, "panel") || (isOnList && ctx.sourceEvent && ctx.sourceEvent.type === "submit")) {
      const wrong = document.querySelector("#panel [aria-invalid=true]");
      if (wrong) wrong.focus();
    }
  });

  function restore(list) {
    scrolled().forEach((box, index) => { box.scrollLeft = offsets[index] || 0; });
    const fold = document.querySelector(".folded > details");
    if (fold && wasUnfolded) fold.open = true;
    // Another page of the list is read from its first row.
    const table = list.querySelector(".scroll") || list;
    if (table.getBoundingClientRect().top < 0) table.scrollIntoView();
  }
})();
