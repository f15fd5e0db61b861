/* The end of the session, by the clock: two minutes before it the page offers «Forleng», at the end it is covered.

   Without it: the user learns of the end with the next request, by a dialog to sign in again (without JavaScript by the
   sign-in page).

   Uses `band`, `contact` and `cover`. The server tells by the event `varighet` how much of the session is left. */
(() => {
  "use strict";
  const WARNING_SECONDS = 120;
  const SESSION_SECONDS = 30 * 60; // without a request
  const ASKED_MS = 3000; // nothing is covered yet while the server is asked whether another tab has prolonged the session
  const AGAIN_MS = 60000;
  const byId = (id) => document.getElementById(id);
  const who = byId("hvem"); // none: nobody is signed in
  let timer = 0;
  let ends = Infinity;

  const ask = () => htmx.ajax("GET", "/innlogget", { target: "#utlop" });

  function warn() {
    clearTimeout(timer);
    timer = setTimeout(end, Math.max(1000, ends - Date.now() + 1000));
    ask();
  }

  function end() {
    cover.putAfter(ASKED_MS);
    ask();
  }

  function plan(seconds, isWarned) {
    clearTimeout(timer);
    ends = Date.now() + seconds * 1000;
    timer = setTimeout(isWarned ? end : warn, isWarned ? seconds * 1000 + 1000 : Math.max(5, seconds - WARNING_SECONDS) * 1000);
  }

  // The server did not tell whether the session is over.
  function unknown() {
    if (Date.now() < ends) return;
    cover.put();
    clearTimeout(timer);
    timer = setTimeout(end, AGAIN_MS);
  }

  if (who) plan(Number(who.dataset.left || SESSION_SECONDS)); // `left`: less is left, for a session lasts twelve hours at most
  document.addEventListener("varighet", ({ detail: { seconds, warned } }) => {
    if (!warned) byId("utlop").replaceChildren();
    plan(seconds, warned);
  });
  document.addEventListener("htmx:config:request", ({ detail: { ctx: { request: { action, headers } } } }) => {
    if (who) headers["X-Hvem"] = who.dataset.user; // the server refuses if another user has signed in meanwhile
    if (action === "/innlogget") headers["X-Uspurt"] = "1"; // not an act of the user
  });
  document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
    if (!who) return;
    const { action, headers } = ctx.request;
    const { status } = ctx.response || {};
    if (status === 401 && contact.isSignedOut(ctx)) return cover.put();
    if (action === "/innlogget") return status < 300 ? cover.remove() : unknown();
    if (action === "/forleng") band.giveFocusBack();
    if (!status || headers["X-Uspurt"]) return;
    byId("utlop").replaceChildren(); // the user is active: the session begins to count anew
    plan(SESSION_SECONDS);
  });

  // The timers do not count the time in which the machine sleeps.
  function look() {
    if (!who || document.hidden || Date.now() < ends) return;
    cover.put();
    end();
  }
  document.addEventListener("visibilitychange", look);
  window.addEventListener("pageshow", look);

  // The dialog was closed without signing in: it comes again.
  document.addEventListener("close", ({ target }) => { if (target.id === "dialog" && cover.isOn()) end(); }, true);
})();
