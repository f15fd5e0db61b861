/* What the user asks of the participant list while a response is on its way waits for that response.

   Each response brings new chips, sort links and pages. One of the old ones, pressed meanwhile, would forget what is being
   asked for: so it waits, and the new one in its place is pressed. A newer state of the form replaces an older one.

   Without it: what is pressed before a response has come may undo what was asked for before (without JavaScript each press
   loads a whole page).

   Uses `contact`, `listRequests` and `waiting`. Gives `listQueue`. */
const listQueue = (() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const steps = [];
  // The form got no response: it is sent again before anything else, since the list must show what the form says.
  let isUnanswered = false;

  const isPanel = (target) => target instanceof Element && target.id === "panel";
  const isPanelOpen = () => document.querySelector("#panel [name=panel]");
  const owesForm = () => isUnanswered && isPanelOpen() && !waiting.requestOf(byId("resultat"));
  const sendForm = () => byId("liste").requestSubmit();

  // What is in the place of `element` since the last response.
  function successor(element) {
    if (element.isConnected) return element;
    const label = element.getAttribute("aria-label");
    const chips = [...document.querySelectorAll(".chips button")];
    return element.name === "fjern" ? chips.find((chip) => chip.getAttribute("aria-label") === label) : byId(element.id);
  }

  function press(element) {
    // Without the panel the form would say that there are no criteria.
    if (element.id === "liste") return isPanelOpen() ? element.requestSubmit() : next();
    const now = successor(element);
    if (now) now.click();
    else next();
  }

  function next() {
    const step = steps.shift();
    if (step) step();
  }

  document.addEventListener("htmx:config:request", (event) => {
    const { ctx } = event.detail;
    const list = byId("resultat");
    const kind = listRequests.kind(ctx);
    const previous = list && waiting.requestOf(list);
    if (list && ctx.target === list && listRequests.isRepeat(byId("liste"), ctx, previous)) return event.preventDefault();
    const opensPanel = ctx.sourceElement.id === "panel-bryter" && ctx.sourceElement.value === "1";
    const movesPanel = opensPanel || (isPanel(ctx.target) && steps.length > 0); // closing waits for what its form has yet to send
    if ((ctx.target !== list && !movesPanel) || kind === "all") return;
    const formFirst = owesForm() && !movesPanel && kind !== "form";
    if (!previous && !formFirst) return;
    if (previous && !movesPanel && kind === listRequests.kind(previous) && kind !== "chip") return;
    event.preventDefault();
    const pressed = ctx.request.submitter || ctx.sourceElement;
    steps.push(() => press(pressed));
    if (formFirst) sendForm();
  });

  document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
    if (!waiting.isOn(ctx, "resultat") || waiting.requestOf(ctx.waiting)) return;
    const isAnswered = ctx.status === "swapped" && ctx.target === ctx.waiting;
    if (["form", "all"].includes(listRequests.kind(ctx))) isUnanswered = !isAnswered;
    if (isAnswered) return next();
    if (!contact.isSignedOut(ctx)) steps.length = 0;
    listRequests.forget(byId("liste"));
  });

  return {
    add(step) { steps.push(() => { step(); next(); }); },
    clear() { steps.length = 0; },
    owesForm,
    sendForm,
  };
})();
