/* Keys: a link that is clicked with Ctrl, ⌘, Shift or Alt is the browser's, and Enter sends a field of one line.

   Without it: such a click opens the link in this tab, and Enter begins a new line (without JavaScript the click works, Enter
   begins a new line). */
(() => {
  "use strict";
  // htmx keeps the browser from following the link before it looks at the keys, so it must not see such a click.
  document.addEventListener("click", (event) => {
    const hasKey = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    if (hasKey && event.target.closest("a[href]")) event.stopImmediatePropagation();
  }, true);

  // A text area that is meant for one line (`data-enter`), but takes the several lines that are pasted into it.
  document.addEventListener("keydown", (event) => {
    const area = event.target;
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || !("enter" in (area.dataset || {}))) return;
    event.preventDefault();
    area.form.requestSubmit();
  });
})();
