/* The visit: two minutes before it ends, «Forleng»; when it is over, what stands on the page is covered until the same user
   has signed in again. What was typed stays. */
(() => {
  "use strict";
  const WARNED = 120; // seconds
  const ASKED_MS = 3000; // so long nothing is covered while it is asked whether another tab has prolonged the visit
  const AGAIN_MS = 60000;
  const byId = (id) => document.getElementById(id);
  const who = byId("hvem");
  let visit = 0;
  let covering = 0;
  let ends = Infinity;
  let title = ""; // the page's own, while it is covered
  let place = null; // what had the focus then

  function ask() {
    clearTimeout(visit);
    visit = setTimeout(over, Math.max(1000, ends - Date.now() + 1000));
    htmx.ajax("GET", "/innlogget", { target: "#utlop" });
  }

  function plan(seconds, isWarned) {
    clearTimeout(visit);
    ends = Date.now() + seconds * 1000;
    visit = setTimeout(isWarned ? over : ask, isWarned ? seconds * 1000 + 1000 : Math.max(5, seconds - WARNED) * 1000);
  }

  function over() {
    covering = setTimeout(cover, ASKED_MS);
    htmx.ajax("GET", "/innlogget", { target: "#utlop" });
  }

  // Whether the visit is over cannot be told.
  function unknown() {
    if (Date.now() < ends) return;
    cover();
    clearTimeout(visit);
    visit = setTimeout(over, AGAIN_MS);
  }

  if (who) plan(Number(who.dataset.left || 30 * 60)); // what is said is less: twelve hours are over soon
  document.addEventListener("varighet", ({ detail: { seconds, warned } }) => {
    if (!warned) byId("utlop").replaceChildren();
    plan(seconds, warned);
  });
  document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
    if (who) ctx.request.headers["X-Hvem"] = who.dataset.user; // another one's answers do not belong into the page
    if (ctx.request.action === "/innlogget") ctx.request.headers["X-Uspurt"] = "1";
  });
  document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
    if (!who) return;
    const { action, headers } = ctx.request;
    const { status } = ctx.response || {};
    if (status === 401 && ctx.hx.retarget === "#dialog") return cover();
    if (action === "/innlogget") return status < 300 ? uncover() : unknown();
    if (action === "/forleng") contact.back();
    if (!status || headers["X-Uspurt"]) return;
    byId("utlop").replaceChildren(); // the user is there; how long that is good for is asked then
    plan(30 * 60);
  });

  // A machine that has slept does not count the time.
  function look() {
    if (!who || document.hidden || Date.now() < ends) return;
    cover();
    over();
  }
  document.addEventListener("visibilitychange", look);
  window.addEventListener("pageshow", look);

  /* ---- The cover ---- */

  const isCovered = () => document.body.classList.contains("covered");

  function cover() {
    clearTimeout(covering);
    const dialog = byId("dialog");
    if (isCovered()) return;
    [title, place] = [document.title, document.activeElement];
    if (dialog.open && !dialog.querySelector("[type=password]")) dialog.close();
    document.body.classList.add("covered");
    document.title = document.querySelector(".brand").textContent;
    byId("utlop").replaceChildren();
  }

  function uncover() {
    clearTimeout(covering);
    if (!isCovered()) return;
    document.body.classList.remove("covered");
    document.title = title;
    if (place && place.isConnected) place.focus({ preventScroll: true });
  }

  document.addEventListener("innlogget", uncover);
  // Closed without having signed in: it comes again.
  document.addEventListener("close", ({ target }) => { if (target.id === "dialog" && isCovered()) over(); }, true);
})();
