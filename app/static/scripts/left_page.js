/* The form of the page before this one: what it sent when it was left may still be on its way, and is waited for.

   The tab's storage holds the key of that send and of its form, and nothing that was typed.

   Without it: a page may show what was registered before the user's last words arrived, and autosave fails (without
   JavaScript nothing is sent when a page is left).

   Uses `edits` and `savingLine`. Gives `leftPage`. The server tells by the event `ventet` that it has handled the send. */
const leftPage = (() => {
  "use strict";
  const STORE = "avsted";
  const PAUSES_MS = [300, 1000, 2000, 4000, 8000];
  const MOST_BYTES = 60000; // a browser sends 64 KiB of a page that is left, and nothing that is longer
  const byId = (id) => document.getElementById(id);
  let left = null; // the send that is waited for
  let form = ""; // the key of the form that sent it: what it has changed, this user has changed
  let asked = 0;

  const remember = (send) => sessionStorage.setItem(STORE, JSON.stringify(send));
  const forget = () => sessionStorage.removeItem(STORE);

  function addTo(body) {
    if (form) body.append("etter", form);
    if (left) body.append("venter", left.key);
  }

  // How long to wait before the server is asked again; 0 when it has been asked often enough.
  function nextPause() {
    if (asked < PAUSES_MS.length) return PAUSES_MS[asked++];
    left = null;
    return 0;
  }

  document.addEventListener("ventet", () => {
    left = null;
    forget();
  });

  // Before there is a participant, the server keeps the form whole: nothing may be typed into an older one meanwhile.
  const isReloaded = () => performance.getEntriesByType("navigation").every(({ type }) => type !== "navigate");
  const isSameForm = ({ at }) => at === location.pathname && (!at.endsWith("/ny") || isReloaded());
  const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

  async function awaitForm(key) {
    edits.form().inert = true;
    savingLine.say("lagrer");
    const address = new URL(`forlatt/${key}`, new URL(edits.form().dataset.lagre, location.href));
    for (const ms of PAUSES_MS) {
      const response = await fetch(address, { headers: { "HX-Request-Type": "partial", "X-Uspurt": "1" } }).catch(() => null);
      const kept = response && response.headers.get("HX-Redirect");
      if (kept) return location.replace(kept);
      await pause(ms);
    }
    edits.form().inert = false;
    savingLine.sayUnsaved("forlatt");
  }

  const participantOf = (address) => address.split("/").slice(0, 3).join("/");

  function begin(last, { lagre: address, forlatt: key }) {
    if (!byId("versjon")) {
      forget();
      if (last.address === address && isSameForm(last) && last.key !== key) awaitForm(last.key);
    } else if (participantOf(last.address) === participantOf(address)) {
      [left, form] = [last, last.form || ""];
      savingLine.say("lagrer");
    }
  }
  const last = JSON.parse(sessionStorage.getItem(STORE) || "null");
  if (last && edits.form()) begin(last, edits.form().dataset);

  return {
    addTo,
    forget,
    isAwaited: () => Boolean(left),
    isShort: (body) => new URLSearchParams(body).toString().length <= MOST_BYTES,
    nextPause,
    remember,
  };
})();
