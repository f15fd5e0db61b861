/* A form without htmx that is submitted twice in a row is sent once.

   Without it: a double click sends the form twice; the server carries it out once. */
(() => {
  "use strict";
  const PAUSE_MS = 5000; // then the user may try again: the response may be lost, and a download leaves the page where it is
  const timers = new WeakMap(); // form that has been sent -> its timer

  function release(form) {
    form.removeAttribute("aria-busy");
    timers.delete(form);
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method === "dialog") return;
    if (timers.has(form)) return event.preventDefault();
    form.setAttribute("aria-busy", "true");
    timers.set(form, setTimeout(release, PAUSE_MS, form));
  });

  // Back, from the browser's page cache: the page is as it was, and must be usable again.
  window.addEventListener("pageshow", () => { document.querySelectorAll("form[aria-busy]").forEach(release); });
})();
