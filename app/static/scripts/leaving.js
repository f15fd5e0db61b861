/* Leaving a page that is not saved yet: a link waits for the save, and all other ways send the form as the page is left.

   Without it: what was typed in the last second is lost, unless the save was faster (without JavaScript all that was typed
   since a button was pressed is lost).

   Uses `edits`, `endMark`, `leftPage` and `saving`. */
(() => {
  "use strict";
  const { form, isDirty } = edits;
  let sent = 0; // how many edits have been sent so

  // If it cannot be saved, the browser asks the user.
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("a[href]");
    if (!link || !isDirty() || saving.isFailing() || event.defaultPrevented) return;
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (link.target || link.getAttribute("href").startsWith("#") || link.origin !== location.origin) return;
    event.preventDefault();
    saving.saveThen(() => { location.assign(link.href); });
  });

  // By this key the next page learns what became of the send.
  const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

  // By a request that outlives the page. Whether it has arrived is not heard here.
  function send() {
    const body = new FormData(form());
    const address = form().dataset.lagre;
    const key = newKey();
    edits.leaveOutUntouched(body);
    leftPage.addTo(body);
    body.append("avsted", key);
    if (!leftPage.isShort(body)) return false;
    endMark.moveLast(body);
    sent = edits.count();
    leftPage.remember({ key, address, form: body.get("form_key"), at: location.pathname });
    fetch(address, { method: "POST", body: new URLSearchParams(body), keepalive: true }).catch(() => {});
    return true;
  }

  const isUnsent = () => isDirty() && edits.count() > sent && !saving.isSignedOut();

  // Before the next page is requested, so that it comes with what was typed.
  window.addEventListener("beforeunload", (event) => {
    if (!isDirty()) return;
    const isOnItsWay = !saving.isSignedOut() && send();
    if (!isOnItsWay && !saving.isSignedOut()) saving.save(); // too long for `send`: it goes while the browser asks the user
    if (!isOnItsWay || saving.isFailing()) event.preventDefault();
  });
  window.addEventListener("pagehide", () => { if (isUnsent()) send(); });

  document.addEventListener("edits:saved", () => {
    if (sent && sent <= edits.saved()) leftPage.forget(); // the page was not left after all
  });

  document.addEventListener("visibilitychange", () => {
    if (saving.isSignedOut() || !form()) return;
    if (document.hidden) { if (isUnsent()) saving.save(); } // the tab may never be shown again
    else if (document.getElementById("versjon")) saving.saveIn(0); // the response tells what other users have changed meanwhile
  });
})();
