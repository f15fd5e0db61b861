/* Pressing, sending and choosing: what a browser does not do by itself in any form. */
(() => {
  "use strict";

  /* ---- Pressing: no answer moves or replaces what is under a finger until it is let go ---- */

  // Pressing a button leaves the field before it, and a good line answers to that before the button is let go: there
  // would be no click any more. Space, too, presses when it is let go.
  const PRESSED_MS = 5000; // that it was let go may never be told
  let press = null;
  let letGo = null;

  function begin() {
    if (letGo) letGo();
    press = new Promise((resolve) => { letGo = resolve; });
    setTimeout(letGo, PRESSED_MS);
  }
  document.addEventListener("pointerdown", begin, true);
  document.addEventListener("keydown", (event) => { if (event.key === " " && !event.repeat) begin(); }, true);

  function lift(event) {
    if (!letGo || event.buttons) return;
    setTimeout(letGo); // after its click
    letGo = null;
  }
  // A list of choices that opens may take the end of the press to itself: then the next movement tells.
  for (const end of ["pointerup", "pointercancel", "pointermove", "keyup"]) document.addEventListener(end, lift, true);

  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    const ask = ctx.fetch;
    ctx.fetch = async (...question) => {
      try {
        return await ask(...question);
      } finally {
        await press;
      }
    };
  });

  /* ---- Ctrl, ⌘, Shift or Alt and a click: what the browser makes of a link is its own affair ---- */

  // htmx prevents what the browser would do before it looks at the keys, so it does not get to see such a click.
  document.addEventListener("click", (event) => {
    const hasKey = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    if (hasKey && event.target.closest("a[href]")) event.stopImmediatePropagation();
  }, true);

  /* ---- The mark of the end stays at the end: what comes before it has come whole ---- */

  document.addEventListener("htmx:before:request", ({ detail: { ctx: { request: { body } } } }) => {
    const end = body instanceof URLSearchParams && body.get("slutt");
    if (!end) return;
    body.delete("slutt");
    body.append("slutt", end);
  });

  /* ---- Plain forms: a second press while the first is under way does nothing ---- */

  const WINDOW_MS = 5000; // then the user may try again: an answer may be lost, and a download leaves the page where it is
  const sent = new WeakMap();

  function release(form) {
    form.removeAttribute("aria-busy");
    sent.delete(form);
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method === "dialog") return;
    if (sent.has(form)) return event.preventDefault();
    form.setAttribute("aria-busy", "true");
    sent.set(form, setTimeout(release, WINDOW_MS, form));
  });

  // Back from the browser's page cache: the page is as it was, so it must be usable again.
  window.addEventListener("pageshow", () => { document.querySelectorAll("form[aria-busy]").forEach(release); });

  /* ---- The mark at the end of a form stands last in what is sent, so that nothing is cut off behind it ---- */

  // htmx appends the pressed button, and other listeners of ours what they add: the window hears of it after them all.
  const END = "slutt";
  window.addEventListener("htmx:config:request", ({ detail: { ctx: { request } } }) => {
    const { body } = request;
    if (!(body instanceof FormData) || !body.has(END)) return;
    const [end] = body.getAll(END);
    body.delete(END);
    body.append(END, end);
  });

  /* ---- Enter in a field that takes several lines, but is meant for one: sends, as it does in a search field ---- */

  document.addEventListener("keydown", (event) => {
    const area = event.target;
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || !("enter" in (area.dataset || {}))) return;
    event.preventDefault();
    area.form.requestSubmit();
  });

  /* ---- «Ingen av disse» excludes the other choices, and they exclude it ---- */

  document.addEventListener("change", (event) => {
    const box = event.target;
    if (box.type !== "checkbox" || !box.checked || !box.form) return;
    const others = [...box.form.elements].filter((other) => other.name === box.name && other !== box && other.type === "checkbox");
    others.forEach((other) => {
      if ("alone" in box.dataset || "alone" in other.dataset) other.checked = false;
    });
  }, true);
})();
