/* Counts what the user enters in a form that is saved while the user types (`form[data-lagre]`), and knows which questions
   have been touched since they were last saved.

   Without it: nothing is saved by itself, as saving.js fails too (without JavaScript the buttons of the form save).

   Gives `edits`. Tells by the event `edits:saved` that more is saved than before. */
const edits = (() => {
  "use strict";
  const STATE_FIELDS = ["vist", "sagt", "varslet", "uavklart"]; // they tell how the whole form stands on screen
  const touched = new Map(); // id of a question -> the number of the edit that touched it last
  let made = 0; // how many edits there are
  let saved = 0; // how many of them are saved

  const form = () => document.querySelector("form[data-lagre]");

  function touch(control) {
    made += 1;
    const question = control.closest(".question");
    if (question) touched.set(question.id, made);
  }

  function settle(number) {
    saved = Math.max(saved, number);
    for (const [id, edit] of touched) if (edit <= saved) touched.delete(id);
    document.dispatchEvent(new Event("edits:saved"));
  }

  // A row that nothing is filled into is known to this page alone: its question is sent, so that the response keeps the row.
  const isEmpty = (row) => [...row.querySelectorAll("input:not([type=hidden]), select, textarea")].every(
    (control) => (control.type === "radio" ? !control.checked : !control.value));
  const isSent = (question) => touched.has(question.id) || [...question.querySelectorAll("fieldset.boxed")].some(isEmpty);

  // Before there is a participant, the form is always sent whole.
  function leaveOutUntouched(body) {
    if (!document.getElementById("versjon")) return;
    for (const question of form().querySelectorAll(".question")) {
      if (isSent(question)) continue;
      for (const { name } of question.querySelectorAll("input, select, textarea")) if (!STATE_FIELDS.includes(name)) body.delete(name);
    }
  }

  return {
    count: () => made,
    form,
    isDirty: () => form() && made > saved,
    isTouchedAfter: (id, number) => (touched.get(id) || 0) > number,
    leaveOutUntouched,
    saved: () => saved,
    settle,
    touch,
  };
})();
