/* Recognises responses of the register, and names why a request failed.

   Every response of the register has the header X-Register. One without it comes from a machine on the way (a gateway, a
   proxy, the sign-in page of a network). It counts as no contact, and none of it is put into the page.

   Without it: such a response is shown as if it came from the register (without JavaScript: as a whole page). The scripts
   that use `contact` fail too.

   Gives `contact`. For offline.js it notes on the request `foreign`, the status of a response without the header. */
const contact = (() => {
  "use strict";
  const HEADER = "X-Register";
  const LONGEST_WAIT_MS = 120000;

  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    const send = ctx.fetch;
    ctx.fetch = async (...request) => {
      const response = await send(...request);
      // The register never redirects a request of htmx: it sends HX-Redirect instead.
      if (response.headers.has(HEADER) && !response.redirected) return response;
      ctx.foreign = response.status;
      ctx.retryAfter = response.headers.get("Retry-After");
      throw new TypeError("Failed to fetch: no response of the register");
    };
  });

  const known = (why) => document.getElementById("grunner").content.querySelector(`[data-grunn="${why}"]`);

  // The name of one of the reasons that the page has a text for.
  function reason(ctx) {
    if (ctx.foreign) return known(ctx.foreign) ? ctx.foreign : "fremmed";
    if (ctx.request.signal.reason === "timeout") return "treg";
    if (!ctx.response || isCut(ctx)) return "kontakt";
    const { status } = ctx.response;
    if (known(status)) return status;
    return status < 500 ? "avvist" : "svar";
  }

  const text = (why) => known(why).textContent;

  // The response began and did not come to its end.
  const isCut = (ctx) => String(ctx.status).startsWith("error");

  // The session is over: the response is the form to sign in again.
  const isSignedOut = (ctx) => ctx.hx && ctx.hx.retarget === "#dialog";

  // How long Retry-After asks us to wait, within reason: seconds or a date.
  function wait(ctx) {
    const after = ctx.retryAfter || (ctx.response && ctx.response.headers.get("Retry-After")) || "";
    const asked = /^\d+$/.test(after) ? after * 1000 : Date.parse(after) - Date.now();
    return Math.min(Math.max(asked || 0, 0), LONGEST_WAIT_MS);
  }

  return { isCut, isSignedOut, reason, text, wait };
})();
