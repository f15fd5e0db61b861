/* Covers the page when the session is over, until the same user has signed in again. What was typed stays.

   Without it: what stands on the page can be read after the end of the session (so it is without JavaScript).

   Gives `cover`. */
const cover = (() => {
  "use strict";
  let timer = 0;
  let title = ""; // of the page, while it is covered
  let place = null; // what had the focus then

  const isOn = () => document.body.classList.contains("covered");

  function put() {
    clearTimeout(timer);
    if (isOn()) return;
    const dialog = document.getElementById("dialog");
    [title, place] = [document.title, document.activeElement];
    if (dialog.open && !dialog.querySelector("[type=password]")) dialog.close();
    document.body.classList.add("covered");
    document.title = document.querySelector(".brand").textContent;
    document.getElementById("utlop").replaceChildren();
  }

  function remove() {
    clearTimeout(timer);
    if (!isOn()) return;
    document.body.classList.remove("covered");
    document.title = title;
    if (place && place.isConnected) place.focus({ preventScroll: true });
  }

  document.addEventListener("innlogget", remove);

  return { isOn, put, putAfter(ms) { timer = setTimeout(put, ms); }, remove };
})();
