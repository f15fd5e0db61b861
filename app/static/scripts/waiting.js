/* Marks the element that waits for a response (`aria-busy`), and knows which request it waits for.

   Without it: nothing shows that a part of the page is being fetched (without JavaScript the browser shows it). The scripts
   that use `waiting` fail too.

   Gives `waiting`. Notes on the request `waiting`, the element, and `meant`, the swap that was asked for: a response may
   change both the target and the swap. */
const waiting = (() => {
  "use strict";
  const requests = new WeakMap(); // element -> the request that it waits for

  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    const target = ctx.target instanceof Element && ctx.swap !== "none" ? ctx.target : null;
    if (!target) return;
    target.setAttribute("aria-busy", "true");
    requests.set(target, ctx);
    ctx.waiting = target;
    ctx.meant = ctx.swap;
  });

  document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
    if (!ctx.waiting || requests.get(ctx.waiting) !== ctx) return;
    ctx.waiting.removeAttribute("aria-busy");
    requests.delete(ctx.waiting);
  });

  return {
    isOn: (ctx, ...ids) => Boolean(ctx.waiting) && ids.includes(ctx.waiting.id), // one of these elements waits for `ctx`
    requestOf: (element) => requests.get(element),
  };
})();
