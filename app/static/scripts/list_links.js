/* Links to other orders and pages of the list fetch the list alone.

   Without it: each of these links loads a whole page.

   The attributes are set here, once: in each link they would be a thirtieth of every response. */
(() => {
  "use strict";
  document.addEventListener("htmx:before:process", ({ target }) => {
    for (const link of target.querySelectorAll("#resultat :is(thead, nav) a")) {
      Object.assign(link.dataset, { hxGet: link.getAttribute("href"), hxTarget: "#resultat", hxSync: "#resultat:replace" });
    }
  });

  // The same list again is no new entry of the browser's history.
  document.addEventListener("htmx:before:history:update", (event) => {
    if (event.detail.history.path === location.pathname + location.search) event.preventDefault();
  });
})();
