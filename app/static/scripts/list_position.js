/* The user who comes back from a participant finds the list scrolled to where it was left.

   The browser restores the scroll position of the page itself after Back and after reloading, but not that of a table that
   scrolls within the page, and neither after a link or a button that leads back.

   Without it: the list is shown from its first row, or from the row that the address names. */
(() => {
  "use strict";
  const PARTICIPANT = /^\/deltakere\/(ny|[\w-]{16})(\/|$)/;
  const key = () => `sted ${location.pathname}${location.search}`;
  const table = () => document.querySelector("#resultat .scroll");

  window.addEventListener("pagehide", () => {
    if (table()) sessionStorage.setItem(key(), JSON.stringify([window.scrollY, table().scrollTop]));
  });

  function restore() {
    const [navigation] = performance.getEntriesByType("navigation");
    const left = JSON.parse(sessionStorage.getItem(key()));
    if (!table() || !navigation || !left) return;
    const isNew = navigation.type === "navigate";
    const isBack = isNew && PARTICIPANT.test(document.referrer.replace(location.origin, ""));
    if (isBack || !isNew) table().scrollTop = left[1];
    if (isBack) window.scrollTo(0, left[0]);
  }
  restore();
  // Until everything is loaded the browser, too, scrolls to the row that the address names.
  window.addEventListener("load", restore);
})();
