/* What stands in the fields when a response comes: what the user has entered since the request was sent stays.

   Without it: a response to a request puts back what the field held when it was sent (without JavaScript every response is
   a whole page).

   The server tells by the event `skrevet` how it writes a date, a month or a number that was sent. */
(() => {
  "use strict";
  document.addEventListener("htmx:before:swap", ({ detail: { ctx, tasks } }) => {
    const sent = ctx.request.body;
    if (!(sent instanceof URLSearchParams)) return;
    for (const { type, target, fragment } of tasks) {
      if (type !== "partial" || !(target instanceof Element)) continue;
      // A question that was not sent has not been touched: what other users have entered takes its place.
      if (target.matches(".question") && !sent.has(target.id)) continue;
      for (const old of target.querySelectorAll("input:not([type=hidden]), select, textarea")) {
        const drawn = fragment.getElementById(old.id);
        if (!drawn) continue;
        if (old.type === "checkbox" || old.type === "radio") {
          if (old.checked !== sent.getAll(old.name).includes(old.value)) drawn.checked = old.checked;
        } else if (old.value !== (sent.get(old.name) || "").replace(/\r\n/g, "\n")) drawn.value = old.value;
      }
    }
  });

  // Once the user has left the field, its value stands as the server writes it.
  document.addEventListener("skrevet", ({ detail }) => {
    const form = document.querySelector("form[data-lagre]");
    for (const [name, typed, standard] of detail.felt) {
      const control = form && form.elements[name];
      if (control && control.value === typed && control !== document.activeElement) control.value = standard;
    }
  });
})();
