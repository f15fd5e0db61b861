/* The line that says how saving goes (`#tilstand`): «Lagrer», «Ikke lagret» with a button; screen readers hear it as well.

   The server writes «Lagret» and what is missing into it.

   Without it: nothing is saved by itself, as saving.js fails too (without JavaScript the line says what was saved when the
   page was loaded).

   Uses `announce`, `band` and `contact`. Gives `savingLine`. The button tells saving.js by the event `saving:retry`. */
const savingLine = (() => {
  "use strict";
  const PAUSE_MS = 700; // screen readers hear the line once for each pause of typing
  const byId = (id) => document.getElementById(id);
  let timer = 0;
  let errors = []; // the error messages of the form that screen readers have heard

  function put(content) {
    const line = byId("tilstand");
    if (!line) return;
    const hadFocus = line.contains(document.activeElement);
    line.replaceChildren(content);
    if (hadFocus) band.giveFocusBack();
  }

  // `id`: of the template that holds the text.
  const say = (id) => put(byId(id).content.cloneNode(true));

  function sayUnsaved(why) {
    const content = byId("ikke-lagret").content.cloneNode(true);
    content.querySelector("b").replaceWith(contact.text(why));
    content.querySelector("button").addEventListener("click", () => document.dispatchEvent(new Event("saving:retry")));
    put(content);
    announce(byId("tilstand").querySelector("p").textContent, true);
  }

  // What is wrong is heard at once, but the same is not heard again.
  function announceState() {
    const line = byId("tilstand").querySelector("p");
    const isWrong = line.matches(".missing") && byId("versjon"); // what is missing before there is a participant is not wrong
    const shown = [...document.querySelectorAll("form[data-lagre] .ds-validation-message")].map((one) => one.textContent);
    const added = shown.filter((one) => !errors.includes(one));
    errors = shown;
    clearTimeout(timer);
    announce(isWrong ? [line.textContent, ...added].join(". ") : "", true);
    if (!isWrong) timer = setTimeout(() => announce(line.textContent, false), PAUSE_MS);
  }

  function hush() {
    clearTimeout(timer);
    announce("", false);
  }

  return { announceState, hush, say, sayUnsaved };
})();
