/* The visit: two minutes before it ends, «Forleng». */
(() => {
  "use strict";
  const WARNED = 120; // seconds
  let visit = 0;

  function plan(seconds) {
    clearTimeout(visit);
    visit = setTimeout(() => htmx.ajax("GET", "/innlogget", { target: "#varsler" }), Math.max(5, seconds - WARNED) * 1000);
  }

  const who = document.getElementById("hvem");
  if (who) plan(Number(who.dataset.left || 30 * 60)); // what is said is less: twelve hours are over soon
  document.addEventListener("varighet", (event) => plan(event.detail.seconds));
  document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
    if (who) ctx.request.headers["X-Hvem"] = who.dataset.user; // another one's answers do not belong into her page
    if (ctx.request.action === "/innlogget") ctx.request.headers["X-Uspurt"] = "1";
  });
  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    if (who && !ctx.request.headers["X-Uspurt"]) plan(30 * 60); // she is there; how long that is good for is asked then
  });
})();
