/* Saves a form while the user types. The form says where (`data-lagre`).

   A save sends the questions that have been touched since they were last saved, and nothing of the others; sending twice
   does no harm. There is one save under way at a time.

   Without it: nothing is saved by itself (without JavaScript the buttons of the form save).

   Uses `contact`, `edits`, `leftPage`, `lookUp` and `savingLine`. Gives `saving`. */
const saving = (() => {
  "use strict";
  const TYPED_MS = 1200; // after the last keystroke
  const AGAIN_MS = [3000, 6000, 12000, 20000, 30000, 60000, 120000]; // then it waits for the user
  const byId = (id) => document.getElementById(id);
  let current = null; // the save under way
  let sent = 0; // how many edits it holds
  let typing = ""; // the name of the field that the user is typing in
  let timer = 0;
  let failures = 0;
  let isFailing = false;
  let isSignedOut = false;
  let notBefore = 0; // the server asks not to be asked until then
  let afterwards = null; // what waits until all is saved

  const { form, isDirty } = edits;
  const isText = (control) => control.matches("textarea, input:not([type=radio], [type=checkbox], [type=hidden])");
  const textOfSaving = () => (lookUp.isUnderWay(typing) ? "henter" : "lagrer");

  function save() {
    clearTimeout(timer);
    if (current || !form() || !byId("lagring")) return;
    if (isDirty()) savingLine.say(textOfSaving());
    htmx.trigger(byId("lagring"), "lagre");
  }

  function saveIn(delay) {
    clearTimeout(timer);
    timer = setTimeout(save, Math.max(delay, notBefore - Date.now()));
  }

  function retry() {
    notBefore = failures = 0;
    save();
  }
  document.addEventListener("saving:retry", retry);
  window.addEventListener("online", () => { if (isDirty() && !isSignedOut) retry(); });

  function entered(event) {
    const control = event.target;
    if (!control.form || !control.form.matches("form[data-lagre]") || !control.name) return;
    const isTyping = event.type === "input" && isText(control);
    if (event.type === "input" && !isTyping) return; // «change» tells
    typing = isTyping ? control.name : "";
    edits.touch(control);
    savingLine.say(textOfSaving());
    savingLine.hush();
    saveIn(isTyping ? TYPED_MS : 0);
  }
  document.addEventListener("input", entered);
  document.addEventListener("change", entered);

  /* ---- The request and its response ---- */

  const isSave = (ctx) => ctx && ctx.sourceElement && ctx.request && ctx.request.action === (form() && form().dataset.lagre);

  document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
    const { request, sourceElement } = ctx;
    if (form() && request.form === form()) leftPage.addTo(request.body);
    if (!isSave(ctx)) return;
    if (sourceElement.matches("button")) edits.touch(sourceElement); // a row more or less, or a choice
    edits.leaveOutUntouched(request.body);
    if (typing) request.body.append("skriver", typing);
    if (edits.count() === sent) request.headers["X-Uspurt"] = "1"; // the same again: not an act of the user
    if (document.hidden) request.keepalive = leftPage.isShort(request.body);
    current = ctx;
    sent = edits.count();
  });

  document.addEventListener("htmx:before:swap", (event) => {
    const { ctx, tasks } = event.detail;
    if (!isSave(ctx)) return;
    if (ctx.response.status >= 500) return event.preventDefault(); // the line says it
    keepTouched(tasks);
    if (edits.count() === sent && (!leftPage.isAwaited() || (ctx.hx.trigger || "").includes("ventet"))) return;
    // «Lagret» would not be true of what has been entered meanwhile.
    for (const { target, fragment } of tasks) {
      if (target instanceof Element && target.id === "tilstand") fragment.replaceChildren(byId(textOfSaving()).content.cloneNode(true));
    }
  });

  // Where other users have changed an answer, the question is drawn anew (not morphed), but not if it has been touched since
  // it was sent. The form keeps its version then, so that the next save is compared with what the others have entered.
  function keepTouched(tasks) {
    const isTouched = ({ target, swapSpec }) => (
      target instanceof Element && swapSpec.style === "innerHTML" && edits.isTouchedAfter(target.id, sent)
    );
    if (!tasks.some(isTouched)) return;
    const isSwapped = (task) => !isTouched(task) && !(task.target instanceof Element && task.target.id === "versjon");
    tasks.splice(0, tasks.length, ...tasks.filter(isSwapped));
  }

  document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
    if (ctx !== current) return;
    current = null;
    const { status } = ctx.response || {};
    if (status === 401) return signedOut();
    if (status === 200 && !contact.isCut(ctx)) return succeeded();
    if (status === 400 && ctx.hx.trigger) return failed("svar", ctx); // the form has got another token meanwhile
    failed(contact.reason(ctx), ctx);
  });

  function succeeded() {
    const isNews = sent > edits.saved();
    failures = 0;
    isFailing = false;
    edits.settle(sent);
    if (leftPage.isAwaited()) return askAgain();
    if (edits.count() > edits.saved()) return saveIn(typing ? TYPED_MS : 0);
    if (isNews) savingLine.announceState();
    const next = afterwards;
    afterwards = null;
    if (next) next();
  }

  function failed(why, ctx) {
    afterwards = null;
    if (leftPage.isAwaited()) askAgain();
    if (!isDirty()) return; // the page only asked what other users have changed
    isFailing = true;
    savingLine.sayUnsaved(why);
    if (why === "avvist" || why === 413 || failures >= AGAIN_MS.length) return; // the same again would be no better
    notBefore = Date.now() + contact.wait(ctx);
    saveIn(AGAIN_MS[failures]);
    failures += 1;
  }

  function askAgain() {
    savingLine.say("lagrer");
    const pause = leftPage.nextPause();
    if (pause) return saveIn(pause);
    savingLine.sayUnsaved("forlatt");
  }

  function signedOut() {
    afterwards = null;
    isSignedOut = true;
    savingLine.sayUnsaved("utlogget");
  }

  // Signed in again: what was typed meanwhile is sent.
  document.addEventListener("innlogget", () => {
    isSignedOut = false;
    if (isDirty() || leftPage.isAwaited()) save();
  });

  /* ---- The form's own buttons send it whole; what the server could not save then is saved as far as it can be ---- */

  let whole = 0; // how many edits the whole form holds
  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    if (ctx.sourceElement !== form()) return;
    clearTimeout(timer);
    whole = edits.count();
  });
  document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
    if (!ctx.sourceElement.matches("form[data-lagre]")) return;
    if (!ctx.response || contact.isCut(ctx)) return failed(contact.reason(ctx), ctx);
    if (ctx.response.status < 400) edits.settle(whole);
    if (isDirty()) saveIn(TYPED_MS);
  });

  if (leftPage.isAwaited()) saveIn(0);

  return {
    isFailing: () => isFailing,
    isSignedOut: () => isSignedOut,
    save,
    saveIn,
    saveThen(step) { afterwards = step; save(); },
  };
})();
