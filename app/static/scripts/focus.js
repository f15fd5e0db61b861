/* Keeps the keyboard focus near its place when a response replaces the element that had it.

   Without it: htmx gives the focus to an element with the same id; if there is none, the focus is lost (without JavaScript
   it begins at the top of each new page).

   Uses what waiting.js notes on the request. */
(() => {
  "use strict";
  let focused = null; // what had the focus before the swap

  document.addEventListener("htmx:before:swap", () => { focused = document.activeElement; });

  document.addEventListener("htmx:after:swap", ({ detail: { ctx: { waiting: target } } }) => {
    if (!target || !target.isConnected || !focused || focused.isConnected) return;
    if (document.activeElement && document.activeElement !== document.body) return;
    // After the last chip: the button of the panel is the nearest place that stays. Otherwise the part that was swapped.
    const place = (focused.closest(".chips, #fjern-alle") && document.getElementById("panel-bryter")) || target;
    if (!place.hasAttribute("tabindex") && place === target) place.tabIndex = -1;
    place.focus({ preventScroll: true });
  });
})();
