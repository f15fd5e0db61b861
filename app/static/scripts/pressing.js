/* No response moves or replaces what the user is pressing until it is let go.

   Pressing a button leaves the field before it, which sends the form; on a fast line the response comes before the button is
   let go, and there would be no click. The space bar, too, presses when it is let go.

   Without it: such a press is lost (without JavaScript no response comes while a page is in use). */
(() => {
  "use strict";
  const LONGEST_PRESS_MS = 5000; // the end of a press is not always told
  let press = null; // a promise, kept when the press has ended
  let end = null;

  function begin() {
    if (end) end();
    press = new Promise((resolve) => { end = resolve; });
    setTimeout(end, LONGEST_PRESS_MS);
  }
  document.addEventListener("pointerdown", begin, true);
  document.addEventListener("keydown", (event) => { if (event.key === " " && !event.repeat) begin(); }, true);

  function letGo(event) {
    if (!end || event.buttons) return;
    setTimeout(end); // after its click
    end = null;
  }
  // A list of choices that opens may take the end of the press to itself: then the next movement tells.
  for (const name of ["pointerup", "pointercancel", "pointermove", "keyup"]) document.addEventListener(name, letGo, true);

  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    const send = ctx.fetch;
    ctx.fetch = async (...request) => {
      try {
        return await send(...request);
      } finally {
        await press;
      }
    };
  });
})();
