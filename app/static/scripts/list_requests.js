/* The requests of lists: of which kind each is, and that a form that says the same again is not sent again.

   A form that is sent as soon as something changes in it is sent by Enter in a field as well; leaving the field afterwards
   would say the same once more.

   Without it: such a form is sent twice (without JavaScript it is sent by its button alone). The scripts that use
   `listRequests` fail too.

   Uses `waiting`. Gives `listRequests`. */
const listRequests = (() => {
  "use strict";
  const AT_ONCE = "form[data-hx-trigger*=change][data-hx-post]:not(#liste)"; // lists such as the access log
  const sent = new WeakMap(); // form -> what it said when it was last sent

  function kind({ request: { method, submitter } }) {
    if (submitter && submitter.id === "fjern-alle") return "all";
    if (method === "GET") return "link";
    return submitter && ["fjern", "go"].includes(submitter.name) ? "chip" : "form";
  }

  // `previous`: the request of the same list that has no response yet.
  function isRepeat(form, ctx, previous) {
    const fields = [...(ctx.request.body || [])].filter(([name]) => name !== "visning");
    const now = kind(ctx) === "form" ? JSON.stringify(fields) : "";
    const isSame = now && now === sent.get(form) && (previous || ctx.sourceEvent.type === "change");
    sent.set(form, now);
    return isSame;
  }

  const forget = (form) => sent.delete(form);

  document.addEventListener("htmx:config:request", (event) => {
    const { ctx } = event.detail;
    const form = ctx.sourceElement;
    if (form.matches(AT_ONCE) && isRepeat(form, ctx, waiting.requestOf(ctx.target))) event.preventDefault();
  });

  document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
    const form = ctx.sourceElement;
    if (form.matches(AT_ONCE) && ctx.status !== "swapped" && !waiting.requestOf(ctx.waiting)) forget(form);
  });

  return { forget, isRepeat, kind };
})();
