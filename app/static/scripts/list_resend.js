/* A request of the list that was refused because the session was over is sent again when the user has signed in.

   Without it: the user presses once more after signing in (without JavaScript the sign-in page leads back to the list).

   Uses `contact`, `listQueue`, `offline` and `waiting`. */
(() => {
  "use strict";
  const PAUSE_MS = 5000;
  let refused = null;
  let renewed = 0; // when the forms last got the token of a session that began in another tab

  document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
    if (!waiting.isOn(ctx, "resultat", "panel")) return;
    if (contact.isSignedOut(ctx)) refused = ctx;
    else if (ctx.response && ctx.response.status === 400 && ctx.hx.trigger && Date.now() - renewed > PAUSE_MS) {
      renewed = Date.now();
      document.getElementById("varsler").replaceChildren();
      offline.sendAgain(ctx);
    }
  });

  document.addEventListener("innlogget", () => {
    const ctx = refused;
    refused = null;
    if (ctx) offline.sendAgain(ctx);
  });

  document.addEventListener("close", ({ target }) => {
    if (target.id !== "dialog") return;
    if (refused) listQueue.clear(); // closed without signing in
    refused = null;
  }, true);
})();
