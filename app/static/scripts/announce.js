/* Lets screen readers say a text. The live regions are in the page from the start, and the same text is not repeated.

   Without it: screen readers do not hear by themselves what autosave does (without JavaScript there is no autosave). Other
   scripts that use `announce` fail too.

   Gives the function `announce(text, isUrgent)`. */
const announce = (() => {
  "use strict";
  const HEARD_MS = 1000; // then the text is removed: it is on the page already, and would be read twice
  const said = {};

  return (text, isUrgent) => {
    const id = isUrgent ? "alarm" : "lagringslinje";
    const region = document.getElementById(id);
    if (said[id] === text) return;
    said[id] = region.textContent = text;
    setTimeout(() => { if (said[id] === text) region.textContent = ""; }, HEARD_MS);
  };
})();
