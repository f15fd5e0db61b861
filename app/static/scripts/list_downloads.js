/* A download holds what the page says: it waits for the list that is being fetched, and for what has not been sent yet.

   Without it: a file that is fetched right after typing holds the list as it was before (without JavaScript it always holds
   the list on screen).

   Uses `contact`, `listQueue` and `waiting`. */
(() => {
  "use strict";
  const FILE = "a:is([href*='.csv'], [href*='.xlsx'])";
  const wanted = new Map(); // list -> the link of the file that is wanted of it

  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest(`:is(#resultat, #logg) ${FILE}`);
    if (!link || event.defaultPrevented) return;
    const list = link.closest("#resultat, #logg");
    const field = document.activeElement;
    if (field && field.form && field !== link) { // pressed by something else than a pointer or the keyboard
      event.preventDefault();
      link.focus(); // what has been typed is sent when its field is left
      return void setTimeout(() => link.click());
    }
    const formFirst = list.id === "resultat" && listQueue.owesForm();
    if (!waiting.requestOf(list) && !formFirst) return;
    event.preventDefault();
    if (!wanted.has(list) && list.id === "resultat") listQueue.add(() => download(list));
    wanted.set(list, link);
    if (formFirst) listQueue.sendForm();
  });

  // By the link that the response has brought for the same file.
  function download(list) {
    const old = wanted.get(list);
    const link = old && [...list.querySelectorAll(FILE)].find((one) => one.pathname === old.pathname);
    wanted.delete(list);
    if (link) link.click();
  }

  document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
    const list = ctx.waiting;
    if (!wanted.has(list) || waiting.requestOf(list)) return;
    if (ctx.status !== "swapped" || ctx.target !== list) {
      if (!contact.isSignedOut(ctx)) wanted.delete(list);
    } else if (list.id !== "resultat") download(list);
  });
})();
