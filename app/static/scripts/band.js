/* The band at the end of the window (`#band`): it covers no field that has the focus, and gives the focus back.

   Without it: the band stays in sight by the style sheet alone, and may cover the field that the user is in.

   Gives `band.giveFocusBack()`. */
const band = (() => {
  "use strict";
  const element = document.getElementById("band");
  let place = null; // what had the focus before it went into the band

  document.addEventListener("focusin", ({ target }) => { if (!element.contains(target)) place = target; });

  // For a button of the band that is removed while it has the focus.
  function giveFocusBack() {
    const now = document.activeElement;
    if (place && place.isConnected && (!now || now === document.body || element.contains(now))) place.focus({ preventScroll: true });
  }

  new ResizeObserver(() => {
    document.documentElement.style.setProperty("--band", `${element.offsetHeight}px`);
    const now = document.activeElement;
    if (!now || !now.matches("main *")) return;
    const hidden = now.getBoundingClientRect().bottom - element.getBoundingClientRect().top;
    if (hidden > 0 && hidden < now.offsetHeight + element.offsetHeight) window.scrollBy(0, hidden + 8);
  }).observe(element);

  return { giveFocusBack };
})();
