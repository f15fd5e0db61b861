/* Shows «Ingen kontakt» with a button to try again when a request gets no response; the list is asked for again by itself.

   Without it: a request that is lost leaves the page as it was and says nothing (without JavaScript: the browser shows its own
   error page). A form that is saved while the user types says so itself: saving.js.

   Uses `contact`. Gives `offline.sendAgain(ctx)`. Notes on the request `hadFocus`, the element that had the focus. */
const offline = (() => {
  "use strict";
  const PAUSES_MS = [5000, 10000, 20000, 40000]; // then it waits for the user
  const byId = (id) => document.getElementById(id);
  const notice = () => byId("ingen-kontakt");
  let isLeaving = false;
  let tries = 0;
  let timer = 0;

  function clear() {
    clearTimeout(timer);
    if (notice()) notice().remove();
  }

  function sendAgain(ctx, isAutomatic) {
    const { sourceElement: source, request } = ctx;
    if (!isAutomatic) {
      clear();
      tries = 0;
    }
    if (!source.isConnected) return location.reload();
    // The focus was on the button, which is gone.
    if (document.activeElement === document.body && ctx.hadFocus) ctx.hadFocus.focus({ preventScroll: true });
    htmx.ajax(request.method, request.action, {
      source, target: ctx.waiting || ctx.target, swap: ctx.meant || ctx.swap, event: { submitter: request.submitter, isAutomatic },
    });
  }

  function lost(ctx) {
    if (isLeaving) return;
    const form = ctx.sourceElement.closest("form[data-lagre]");
    if (form && ctx.request.action === form.dataset.lagre) return; // saving.js says it
    if (ctx.swap === "none" && notice()) return;
    const why = contact.reason(ctx);
    if (!notice() || notice().dataset.grunn !== String(why)) show(why);
    notice().isOfBackground = ctx.swap === "none";
    notice().querySelector("button").onclick = () => sendAgain(ctx);
    clearTimeout(timer);
    // Only the list may be requested any number of times.
    if (!ctx.waiting || !["resultat", "panel"].includes(ctx.waiting.id) || tries >= PAUSES_MS.length) return;
    timer = setTimeout(sendAgain, Math.max(PAUSES_MS[tries], contact.wait(ctx)), ctx, true);
    tries += 1;
  }

  function show(why) {
    clear();
    const shown = byId("uten-kontakt").content.firstElementChild.cloneNode(true);
    shown.id = "ingen-kontakt";
    shown.dataset.grunn = why;
    const text = contact.text(why);
    shown.querySelector("h2").textContent = text[0].toUpperCase() + text.slice(1);
    const dialog = byId("dialog");
    (dialog.open ? dialog : byId("meldinger")).prepend(shown);
  }

  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    // A background request (its response is swapped nowhere) does not make up for another one that was lost.
    const isOther = ctx.swap !== "none" || (notice() && notice().isOfBackground);
    if (isOther && !(ctx.sourceEvent && ctx.sourceEvent.isAutomatic)) clear();
    ctx.hadFocus = document.activeElement;
  });
  document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
    if (ctx.swap === "none") return;
    tries = 0;
    clear();
  });

  document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
    if (ctx && ctx.request && (!ctx.response || contact.isCut(ctx))) lost(ctx);
  });

  // A server error that does not say where its message goes (HX-Retarget) has no message for the user.
  document.addEventListener("htmx:before:response", (event) => {
    const { ctx } = event.detail;
    if (ctx.response.status < 500 || ctx.hx.retarget) return;
    event.preventDefault();
    lost(ctx);
  });

  window.addEventListener("pagehide", () => { isLeaving = true; });
  window.addEventListener("pageshow", () => { isLeaving = false; }); // Back, from the browser's page cache

  return { sendAgain };
})();
