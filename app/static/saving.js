/* Saving a form as one types. A form that can be saved so says where (`data-lagre`); it is sent whole, so a save makes good
   what an earlier one could not, and the server leaves alone what stands there already: sending twice does no harm. */
(() => {
  "use strict";
  const TYPED_MS = 1200; // after the last keystroke
  const AGAIN_MS = [3000, 6000, 12000, 20000, 30000];
  const FORM = "form[data-lagre]";
  const byId = (id) => document.getElementById(id);
  let edits = 0; // what has been entered, counted
  let sent = 0; // how much of it the save under way holds
  let saved = 0; // how much of it is saved
  let current = null; // the save under way
  let typing = ""; // the control that is being typed in
  let timer = 0;
  let failures = 0;
  let isSignedOut = false;
  let goOn = null; // what waits until all is saved

  const form = () => document.querySelector(FORM);
  const isDirty = () => form() && edits > saved;
  const isText = (control) => control.matches("textarea, input:not([type=radio], [type=checkbox], [type=hidden])");

  function say(id) {
    const place = byId("tilstand");
    const words = byId(id);
    if (!place || !words) return;
    // What stands below must not move under a finger that is about to press it.
    place.style.minHeight = `${place.offsetHeight}px`;
    place.replaceChildren(words.content.cloneNode(true));
    const button = place.querySelector("button");
    if (button) button.addEventListener("click", () => { failures = 0; save(); });
  }

  function later(delay) {
    clearTimeout(timer);
    timer = setTimeout(save, delay);
  }

  function save() {
    clearTimeout(timer);
    if (current || !form() || !byId("lagring")) return;
    if (isDirty()) say("lagrer");
    htmx.trigger(byId("lagring"), "lagre");
  }

  function entered(event) {
    const control = event.target;
    if (!control.form || !control.form.matches(FORM) || !control.name) return;
    const isTyping = event.type === "input" && isText(control);
    if (event.type === "input" && !isTyping) return; // «change» tells
    typing = isTyping ? control.name : "";
    edits += 1;
    say("lagrer");
    later(isTyping ? TYPED_MS : 0);
  }
  document.addEventListener("input", entered);
  document.addEventListener("change", entered);

  /* ---- A save and its answer ---- */

  const isSave = (ctx) => ctx && ctx.sourceElement && ctx.request && ctx.request.action === (form() && form().dataset.lagre);

  document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
    if (!isSave(ctx)) return;
    if (typing) ctx.request.body.append("skriver", typing);
    if (edits === sent) ctx.request.headers["X-Uspurt"] = "1"; // the same again: nobody has done anything since
    current = ctx;
    sent = edits;
  });

  document.addEventListener("htmx:before:swap", (event) => {
    const { ctx, tasks } = event.detail;
    if (!isSave(ctx)) return;
    if (ctx.response.status >= 500) return event.preventDefault(); // the line at the top says it
    if (edits === sent) return;
    // «Lagret» would not be true of what has been entered meanwhile.
    for (const { target, fragment } of tasks) {
      if (target instanceof Element && target.id === "tilstand") fragment.replaceChildren(byId("lagrer").content.cloneNode(true));
    }
  });

  document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
    if (ctx !== current) return;
    current = null;
    const status = ctx.response ? ctx.response.status : 0;
    if (status === 200) return succeeded();
    if (status === 401) return signedOut();
    if (status === 400 && ctx.hx.trigger) return failed("ikke-lagret-svar"); // the form has got another token meanwhile
    if (status >= 400 && status < 500 && status !== 429) return say("ikke-lagret-avvist"); // the page says why
    failed(status ? "ikke-lagret-svar" : "ikke-lagret-kontakt");
  });

  function succeeded() {
    failures = 0;
    saved = sent;
    if (edits > saved) return later(typing ? TYPED_MS : 0);
    const next = goOn;
    goOn = null;
    if (next) next();
  }

  function failed(words) {
    goOn = null;
    if (!isDirty()) return; // it was only asked what others have changed
    say(words);
    later(AGAIN_MS[Math.min(failures, AGAIN_MS.length - 1)]);
    failures += 1;
  }

  function signedOut() {
    goOn = null;
    isSignedOut = true;
    say("ikke-lagret-utlogget");
  }

  // Signed in again, as the same user: what was typed meanwhile is sent.
  document.addEventListener("innlogget", () => {
    isSignedOut = false;
    if (isDirty()) save();
  });

  window.addEventListener("online", () => { if (isDirty() && !isSignedOut) { failures = 0; save(); } });

  /* ---- Leaving ---- */

  // A link waits for what is not saved yet. If it cannot be saved, the browser asks.
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("a[href]");
    if (!link || !isDirty() || failures || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (link.target || link.getAttribute("href").startsWith("#") || link.origin !== location.origin) return;
    event.preventDefault();
    goOn = () => { location.assign(link.href); };
    save();
  });

  // The whole form goes with its own buttons. What it could not save is saved as far as it can be.
  let whole = 0;
  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    if (ctx.sourceElement !== form()) return;
    clearTimeout(timer);
    whole = edits;
  });
  document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
    if (!ctx.sourceElement.matches(FORM)) return;
    if (!ctx.response) return failed("ikke-lagret-kontakt");
    if (ctx.response.status < 400) saved = whole;
    if (isDirty()) later(TYPED_MS);
  });

  window.addEventListener("pagehide", () => {
    const left = form();
    if (!left || !isDirty() || isSignedOut) return;
    navigator.sendBeacon(left.dataset.lagre, new URLSearchParams(new FormData(left)));
  });

  window.addEventListener("beforeunload", (event) => {
    if (isDirty() && (failures || isSignedOut)) event.preventDefault();
  });

  // Back at a form that has stood open: what others have changed meanwhile is told.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && form() && byId("versjon") && !isSignedOut) later(0);
  });
})();
