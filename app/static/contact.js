/* Contact with the program. Every answer of the program bears a mark. Whatever has none comes from a machine on the way (a
   gateway, a proxy, the sign-in page of a network) and counts as no contact: nothing of it comes into the page. */
const contact = (() => {
  "use strict";
  const MARK = "X-Register";
  const PAUSES_MS = [5000, 10000, 20000, 40000]; // then it waits for the user
  const LONGEST_WAIT_MS = 120000;
  const byId = (id) => document.getElementById(id);
  let leaving = false;
  let tries = 0;
  let timer = 0;

  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    const ask = ctx.fetch;
    ctx.fetch = async (...question) => {
      const answer = await ask(...question);
      // The program never leads a request of htmx on by itself (it says HX-Redirect).
      if (answer.headers.has(MARK) && !answer.redirected) return answer;
      ctx.foreign = answer.status;
      ctx.after = answer.headers.get("Retry-After");
      throw new TypeError("Failed to fetch: no answer of the register");
    };
  });

  const known = (why) => byId("grunner").content.querySelector(`[data-grunn="${why}"]`);

  // Why a request has failed, as a name of one of the reasons that the page holds in words.
  function reason(ctx) {
    if (ctx.foreign) return known(ctx.foreign) ? ctx.foreign : "fremmed";
    if (ctx.request.signal.reason === "timeout") return "treg";
    if (!ctx.response || isCut(ctx)) return "kontakt";
    const { status } = ctx.response;
    if (known(status)) return status;
    return status < 500 ? "avvist" : "svar";
  }

  const isCut = (ctx) => String(ctx.status).startsWith("error"); // the answer began, and did not come to its end

  const words = (why) => known(why).textContent;

  // How long the other side asks to be left alone: within reason.
  function wait(ctx) {
    const after = ctx.after || (ctx.response && ctx.response.headers.get("Retry-After")) || "";
    const asked = /^\d+$/.test(after) ? after * 1000 : Date.parse(after) - Date.now();
    return Math.min(Math.max(asked || 0, 0), LONGEST_WAIT_MS);
  }

  /* ---- What did not get through, in the band ---- */

  const notice = () => byId("ingen-kontakt");

  function clear() {
    clearTimeout(timer);
    if (notice()) notice().remove();
  }

  function again(ctx, isByItself) {
    const { sourceElement: source, request } = ctx;
    if (!isByItself) {
      clear();
      tries = 0;
    }
    if (!source.isConnected) return location.reload();
    if (document.activeElement === document.body && ctx.had) ctx.had.focus({ preventScroll: true }); // it was on the button
    htmx.ajax(request.method, request.action, {
      source, target: ctx.waiting || ctx.target, swap: ctx.meant || ctx.swap, event: { submitter: request.submitter, isByItself },
    });
  }

  function lost(ctx) {
    if (leaving) return;
    const saved = ctx.sourceElement.closest("form[data-lagre]");
    if (saved && ctx.request.action === saved.dataset.lagre) return; // the form says so itself
    if (ctx.swap === "none" && notice()) return;
    const why = reason(ctx);
    if (!notice() || notice().dataset.grunn !== String(why)) tell(why);
    notice().inPassing = ctx.swap === "none";
    notice().querySelector("button").onclick = () => again(ctx);
    clearTimeout(timer);
    // The list can be asked for as often as one likes.
    if (!ctx.waiting || !["resultat", "panel"].includes(ctx.waiting.id) || tries >= PAUSES_MS.length) return;
    timer = setTimeout(again, Math.max(PAUSES_MS[tries], wait(ctx)), ctx, true);
    tries += 1;
  }

  function tell(why) {
    clear();
    const told = byId("uten-kontakt").content.firstElementChild.cloneNode(true);
    told.id = "ingen-kontakt";
    told.dataset.grunn = why;
    const said = words(why);
    told.querySelector("h2").textContent = said[0].toUpperCase() + said.slice(1);
    const dialog = byId("dialog");
    (dialog.open ? dialog : byId("meldinger")).prepend(told);
  }

  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    // A question asked in passing (nothing is swapped into its target) does not make good what else was lost.
    const isOther = ctx.swap !== "none" || (notice() && notice().inPassing);
    if (isOther && !(ctx.sourceEvent && ctx.sourceEvent.isByItself)) clear();
  });
  document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
    if (ctx.swap === "none") return;
    tries = 0;
    clear();
  });

  document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
    if (ctx && ctx.request && (!ctx.response || isCut(ctx))) lost(ctx);
  });

  // Our own machine between may be without words of its own.
  document.addEventListener("htmx:before:response", (event) => {
    const { ctx } = event.detail;
    if (ctx.response.status < 500 || ctx.hx.retarget) return;
    event.preventDefault();
    lost(ctx);
  });

  window.addEventListener("pagehide", () => { leaving = true; });
  window.addEventListener("pageshow", () => { leaving = false; }); // Back from the browser's page cache

  /* ---- The band: what is said in it stays in sight, and covers no field that has the focus ---- */

  const band = byId("band");
  let place = null; // what had the focus before it went into the band

  document.addEventListener("focusin", ({ target }) => { if (!band.contains(target)) place = target; });

  // A button of the band is gone, and the focus with it: it goes back to where the user was.
  function back() {
    const now = document.activeElement;
    if (place && place.isConnected && (!now || now === document.body || band.contains(now))) place.focus({ preventScroll: true });
  }

  new ResizeObserver(() => {
    document.documentElement.style.setProperty("--band", `${band.offsetHeight}px`);
    const now = document.activeElement;
    if (!now || !now.matches("main *")) return;
    const hidden = now.getBoundingClientRect().bottom - band.getBoundingClientRect().top;
    if (hidden > 0 && hidden < now.offsetHeight + band.offsetHeight) window.scrollBy(0, hidden + 8);
  }).observe(band);

  /* ---- What screen readers hear: the places are there from the start, the same is not said again and again ---- */

  // What has been said goes again: it stands on the page already, and would be read twice in passing.
  const HEARD_MS = 1000;
  const heard = {};

  function hear(said, isUrgent) {
    const id = isUrgent ? "alarm" : "lagringslinje";
    if (heard[id] === said) return;
    heard[id] = byId(id).textContent = said;
    setTimeout(() => { if (heard[id] === said) byId(id).textContent = ""; }, HEARD_MS);
  }

  return { again, back, clear, hear, isCut, reason, wait, words };
})();
