/* The field `slutt` stands last in every form that is sent: by it the server sees that nothing was cut off.

   Without it: what is added to a form when it is sent stands behind the field, and the server does not notice if that is cut
   off (without JavaScript the field is the last one of the form, and nothing is added).

   Gives `endMark.moveLast(body)`. */
const endMark = (() => {
  "use strict";
  const FIELD = "slutt";

  function moveLast(body) {
    const mark = body.get(FIELD);
    if (mark === null) return;
    body.delete(FIELD);
    body.append(FIELD, mark);
  }

  // htmx appends the pressed button, other scripts what they have to add: the window gets the event after all of them.
  window.addEventListener("htmx:config:request", ({ detail: { ctx: { request: { body } } } }) => {
    if (body instanceof FormData) moveLast(body);
  });

  return { moveLast };
})();
