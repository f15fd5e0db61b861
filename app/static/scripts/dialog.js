/* The dialog (`#dialog`): opens when something is put into it, and gives the focus back to what opened it.

   Without it: what is put into the dialog is not shown (without JavaScript nothing is put into it: each of its contents is
   a whole page).

   Uses `waiting`. */
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  let opener = null; // what opened the dialog

  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    if (waiting.isOn(ctx, "dialog") && !ctx.waiting.open) opener = ctx.request.submitter || ctx.sourceElement;
  });

  function open(dialog) {
    const heading = dialog.querySelector("h1, h2");
    if (heading && heading.id) dialog.setAttribute("aria-labelledby", heading.id);
    if (!dialog.open) dialog.showModal();
  }

  document.addEventListener("htmx:after:settle", ({ target }) => {
    const dialog = byId("dialog");
    if (target === dialog && dialog.childElementCount) open(dialog);
    // A refusal is shown on the page, which an open dialog would hide.
    else if (target.id === "varsler" && dialog.open) dialog.close();
  });

  // «close» does not bubble, but it can be captured.
  document.addEventListener("close", ({ target }) => {
    if (target.id !== "dialog") return;
    target.replaceChildren();
    target.removeAttribute("aria-labelledby");
    const back = opener && (opener.isConnected ? opener : byId(opener.id));
    if (back) back.focus();
    opener = null;
  }, true);
})();
