/* Signing in again in the dialog, over the page that the user works on: the page stays the same user's.

   Without it: the dialog does not know whose page it is, and leads to the start page after signing in (without JavaScript
   every request after the end of the session leads to the sign-in page).

   The server tells of it by the event `innlogget`; list_resend.js, cover.js and saving.js listen to it too. */
(() => {
  "use strict";
  const user = () => document.getElementById("hvem").dataset.user;

  document.addEventListener("htmx:after:settle", ({ target }) => {
    const keptFor = target.id === "dialog" && target.querySelector("[name=kept_for]");
    if (keptFor && !keptFor.value) keptFor.value = target.querySelector("#dialog-username").value = user();
  });

  // The same user: the forms of the page get the CSRF token of the new session. Another user begins with a new page.
  document.addEventListener("innlogget", (event) => {
    if (event.detail.user !== user()) {
      event.stopImmediatePropagation(); // nothing of this page is sent
      return location.assign("/");
    }
    for (const field of document.querySelectorAll("[name=csrf_token]")) field.value = event.detail.token;
    document.getElementById("dialog").close();
  });
})();
