/* Saving a form as one types. A form that can be saved so says where (`data-lagre`). A save sends the questions that have been
   touched since they were last saved, and nothing of the others; sending twice does no harm. */
(() => {
  "use strict";
  const TYPED_MS = 1200; // after the last keystroke
  const AGAIN_MS = [3000, 6000, 12000, 20000, 30000, 60000, 120000]; // then it waits for the user
  const FORM = "form[data-lagre]";
  const SHARED = ["vist", "sagt", "varslet", "uavklart"]; // they tell how all of the form stands on screen
  const byId = (id) => document.getElementById(id);
  const touched = new Map(); // the containers of questions -> which of the edits touched them last
  let edits = 0; // what has been entered, counted
  let sent = 0; // how much of it the save under way holds
  let saved = 0; // how much of it is saved
  let current = null; // the save under way
  let typing = ""; // the control that is being typed in
  let timer = 0;
  let failures = 0;
  let isFailing = false;
  let notBefore = 0; // the other side asks to be left alone until then
  let isSignedOut = false;
  let goOn = null; // what waits until all is saved

  const form = () => document.querySelector(FORM);
  const isDirty = () => form() && edits > saved;
  const isText = (control) => control.matches("textarea, input:not([type=radio], [type=checkbox], [type=hidden])");

  /* ---- What the line says ---- */

  function put(content) {
    const place = byId("tilstand");
    if (!place) return;
    const hadFocus = place.contains(document.activeElement);
    place.replaceChildren(content);
    if (hadFocus) contact.back();
  }

  const say = (id) => put(byId(id).content.cloneNode(true));

  /* ---- The name of a new participant: it is told that it is being fetched ---- */

  const number = () => byId("national_id");
  const isWhole = () => number() && number().value.replace(/\D/g, "").length >= 11;
  const isLookedUp = (ctx) => ctx.target instanceof Element && ctx.target.id === "oppslag";
  const underWay = () => {
    const place = byId("oppslag");
    return place && isWhole() && (typing === "national_id" || place.matches("[aria-busy]")) ? "henter" : "lagrer";
  };
  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    const name = byId("name");
    if (!isLookedUp(ctx) || !name || !isWhole()) return;
    ctx.stood = name.textContent;
    name.textContent = byId("henter").content.querySelector("p").textContent;
  });
  document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
    if (ctx.stood && !(ctx.response && ctx.response.status === 200)) byId("name").textContent = ctx.stood;
  });

  function sayUnsaved(why) {
    const content = byId("ikke-lagret").content.cloneNode(true);
    content.querySelector("b").replaceWith(contact.words(why));
    content.querySelector("button").addEventListener("click", () => { notBefore = failures = 0; save(); });
    put(content);
    contact.hear(byId("tilstand").querySelector("p").textContent, true);
  }

  // Once for each pause of typing; what is wrong at once, but not the same again.
  const HEARD_MS = 700;
  let hearing = 0;
  let wrong = [];
  const errors = () => [...document.querySelectorAll(`${FORM} .ds-validation-message`)].map((one) => one.textContent);

  function hearState() {
    const line = byId("tilstand").querySelector("p");
    const isWrong = line.matches(".missing") && byId("versjon"); // that something is missing before the beginning is not wrong
    const news = errors().filter((one) => !wrong.includes(one));
    wrong = errors();
    clearTimeout(hearing);
    contact.hear(isWrong ? [line.textContent, ...news].join(". ") : "", true);
    if (!isWrong) hearing = setTimeout(() => contact.hear(line.textContent, false), HEARD_MS);
  }

  function later(delay) {
    clearTimeout(timer);
    timer = setTimeout(save, Math.max(delay, notBefore - Date.now()));
  }

  function save() {
    clearTimeout(timer);
    if (current || !form() || !byId("lagring")) return;
    if (isDirty()) say(underWay());
    htmx.trigger(byId("lagring"), "lagre");
  }

  /* ---- What has been touched ---- */

  const boxOf = (control) => control.closest(".question");

  function touch(control) {
    edits += 1;
    const box = boxOf(control);
    if (box) touched.set(box.id, edits);
  }

  function entered(event) {
    const control = event.target;
    if (!control.form || !control.form.matches(FORM) || !control.name) return;
    const isTyping = event.type === "input" && isText(control);
    if (event.type === "input" && !isTyping) return; // «change» tells
    typing = isTyping ? control.name : "";
    touch(control);
    say(underWay());
    clearTimeout(hearing);
    contact.hear("", false);
    later(isTyping ? TYPED_MS : 0);
  }
  document.addEventListener("input", entered);
  document.addEventListener("change", entered);

  // A row that nothing is filled into yet is known to this page alone: it comes along, so that the answer keeps it.
  const isNew = (row) => [...row.querySelectorAll("input:not([type=hidden]), select, textarea")].every(
    (control) => (control.type === "radio" ? !control.checked : !control.value));
  const isHeld = (box) => touched.has(box.id) || [...box.querySelectorAll("fieldset.boxed")].some(isNew);

  // Before there is a participant, the form is always kept whole.
  function leaveOutUntouched(body) {
    if (!byId("versjon")) return;
    for (const box of form().querySelectorAll(".question")) {
      if (isHeld(box)) continue;
      for (const { name } of box.querySelectorAll("input, select, textarea")) if (!SHARED.includes(name)) body.delete(name);
    }
  }

  // A day, a month or a number stands as the program writes it, once its control has been left.
  document.addEventListener("skrevet", ({ detail }) => {
    for (const [name, typed, standard] of detail.felt) {
      const control = form() && form().elements[name];
      if (control && control.value === typed && control !== document.activeElement) control.value = standard;
    }
  });

  function settle(number) {
    saved = Math.max(saved, number);
    for (const [box, edit] of touched) if (edit <= saved) touched.delete(box);
    if (flushed && flushed <= saved) sessionStorage.removeItem(STORE); // the page was not left after all
  }

  /* ---- A save and its answer ---- */

  const isSave = (ctx) => ctx && ctx.sourceElement && ctx.request && ctx.request.action === (form() && form().dataset.lagre);

  document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
    const { request, sourceElement } = ctx;
    if (form() && request.form === form()) follow(request.body);
    if (!isSave(ctx)) return;
    if (sourceElement.matches("button")) touch(sourceElement); // a row more or less, or a choice
    leaveOutUntouched(request.body);
    if (typing) request.body.append("skriver", typing);
    if (edits === sent) request.headers["X-Uspurt"] = "1"; // the same again: nobody has done anything since
    if (document.hidden) request.keepalive = length(request.body) < MOST_BYTES;
    current = ctx;
    sent = edits;
  });

  document.addEventListener("htmx:before:swap", (event) => {
    const { ctx, tasks } = event.detail;
    if (!isSave(ctx)) return;
    if (ctx.response.status >= 500) return event.preventDefault(); // the line says it
    keepUnderHand(tasks);
    if (edits === sent && (!left || (ctx.hx.trigger || "").includes("ventet"))) return;
    // «Lagret» would not be true of what has been entered meanwhile.
    for (const { target, fragment } of tasks) {
      if (target instanceof Element && target.id === "tilstand") fragment.replaceChildren(byId(underWay()).content.cloneNode(true));
    }
  });

  // Where others have answered, the question is drawn anew (not morphed), but not if it has been touched since it was sent.
  // The form keeps its version then, so that the next save is held against what the others have written there.
  function keepUnderHand(tasks) {
    const isUnderHand = ({ target, swapSpec }) => (
      target instanceof Element && swapSpec.style === "innerHTML" && (touched.get(target.id) || 0) > sent
    );
    if (!tasks.some(isUnderHand)) return;
    const isSwapped = (task) => !isUnderHand(task) && !(task.target instanceof Element && task.target.id === "versjon");
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
    const isNews = sent > saved;
    failures = 0;
    isFailing = false;
    settle(sent);
    if (left) return askAgain();
    if (edits > saved) return later(typing ? TYPED_MS : 0);
    if (isNews) hearState();
    const next = goOn;
    goOn = null;
    if (next) next();
  }

  function failed(why, ctx) {
    goOn = null;
    if (left) askAgain();
    if (!isDirty()) return; // it was only asked what others have changed
    isFailing = true;
    sayUnsaved(why);
    if (why === "avvist" || why === 413 || failures >= AGAIN_MS.length) return; // the same again would be no better
    notBefore = Date.now() + contact.wait(ctx);
    later(AGAIN_MS[failures]);
    failures += 1;
  }

  function signedOut() {
    goOn = null;
    isSignedOut = true;
    sayUnsaved("utlogget");
  }

  // Signed in again, as the same user: what was typed meanwhile is sent.
  document.addEventListener("innlogget", () => {
    isSignedOut = false;
    if (isDirty() || left) save();
  });

  window.addEventListener("online", () => { if (isDirty() && !isSignedOut) { notBefore = failures = 0; save(); } });

  /* ---- Leaving ---- */

  const MOST_BYTES = 60000; // a browser sends 64 KiB of a page that is gone, and nothing that is longer
  const length = (body) => new URLSearchParams(body).toString().length;

  // A link waits for what is not saved yet. If it cannot be saved, the browser asks.
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("a[href]");
    if (!link || !isDirty() || isFailing || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
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
    if (!ctx.response || contact.isCut(ctx)) return failed(contact.reason(ctx), ctx);
    if (ctx.response.status < 400) settle(whole);
    if (isDirty()) later(TYPED_MS);
  });

  // The key of this very send: by it the next page hears what became of it. Nothing of what was typed is kept here.
  const STORE = "avsted";
  const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  let flushed = 0; // how much has been sent so

  function flush() {
    const body = new FormData(form());
    const key = newKey();
    leaveOutUntouched(body);
    follow(body);
    body.append("avsted", key);
    if (length(body) > MOST_BYTES) return false;
    const end = body.get("slutt");
    if (end) { body.delete("slutt"); body.append("slutt", end); }
    flushed = edits;
    sessionStorage.setItem(STORE, JSON.stringify({ key, address: form().dataset.lagre, form: body.get("form_key"), at: location.pathname }));
    fetch(form().dataset.lagre, { method: "POST", body: new URLSearchParams(body), keepalive: true }).catch(() => {});
    return true;
  }

  // Before the next page is asked for, so that it comes with what was typed. It is not heard whether it has arrived.
  window.addEventListener("beforeunload", (event) => {
    if (!isDirty()) return;
    const isOnItsWay = !isSignedOut && flush();
    if (!isOnItsWay && !isSignedOut) save(); // longer than a page that is gone may send: it goes while the browser asks
    if (!isOnItsWay || isFailing) event.preventDefault();
  });
  window.addEventListener("pagehide", () => { if (isDirty() && edits > flushed && !isSignedOut) flush(); });

  document.addEventListener("visibilitychange", () => {
    if (isSignedOut || !form()) return;
    if (document.hidden) { if (isDirty() && edits > flushed) save(); } // the tab may never be shown again
    else if (byId("versjon")) later(0); // what others have changed meanwhile is told
  });

  /* ---- The page before this one: what it sent when it was left may still be on its way ---- */

  const ASKED_MS = [300, 1000, 2000, 4000, 8000];
  let left = null; // the send that is waited for
  let before = ""; // the form that sent it: what it changes, the user has changed
  let asked = 0;

  const participantOf = (address) => address.split("/").slice(0, 3).join("/");

  function follow(body) {
    if (before) body.append("etter", before);
    if (left) body.append("venter", left.key);
  }

  function askAgain() {
    say("lagrer");
    if (asked < ASKED_MS.length) return later(ASKED_MS[asked++]);
    left = null;
    sayUnsaved("forlatt");
  }

  document.addEventListener("ventet", () => {
    left = null;
    sessionStorage.removeItem(STORE);
  });

  // Before there is a participant, the form is kept whole: nothing may be typed into an older one meanwhile.
  const isAnother = () => performance.getEntriesByType("navigation").some(({ type }) => type === "navigate");
  const isSameForm = ({ at }) => at === location.pathname && !(at.endsWith("/ny") && isAnother());
  const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

  async function awaitForm(key) {
    form().inert = true;
    say("lagrer");
    const address = new URL(`forlatt/${key}`, new URL(form().dataset.lagre, location.href));
    for (const ms of ASKED_MS) {
      const answer = await fetch(address, { headers: { "HX-Request-Type": "partial", "X-Uspurt": "1" } }).catch(() => null);
      const kept = answer && answer.headers.get("HX-Redirect");
      if (kept) return location.replace(kept);
      await pause(ms);
    }
    form().inert = false;
    sayUnsaved("forlatt");
  }

  const last = JSON.parse(sessionStorage.getItem(STORE) || "null");
  if (last && form() && !byId("versjon")) {
    sessionStorage.removeItem(STORE);
    if (last.address === form().dataset.lagre && isSameForm(last) && last.key !== form().dataset.forlatt) awaitForm(last.key);
  }
  if (last && byId("versjon") && participantOf(last.address) === participantOf(form().dataset.lagre)) {
    [left, before] = [last, last.form || ""];
    say("lagrer");
    later(0);
  }
})();
