/* A new participant's name: the page says that it is being fetched while the national identity number is looked up.

   Without it: the name appears without notice, and autosave fails (without JavaScript a button fetches the name).

   Gives `lookUp`. */
const lookUp = (() => {
  "use strict";
  const byId = (id) => document.getElementById(id);

  function isWhole() {
    const number = byId("national_id");
    return number && number.value.replace(/\D/g, "").length >= 11;
  }

  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    const name = byId("name");
    const isLookUp = ctx.target instanceof Element && ctx.target.id === "oppslag";
    if (!isLookUp || !name || !isWhole()) return;
    ctx.oldName = name.textContent;
    name.textContent = byId("henter").content.querySelector("p").textContent;
  });
  document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
    if (ctx.oldName && !(ctx.response && ctx.response.status === 200)) byId("name").textContent = ctx.oldName;
  });

  return {
    // `typing`: the name of the field that the user is typing in.
    isUnderWay(typing) {
      const place = byId("oppslag");
      return place && isWhole() && (typing === "national_id" || place.matches("[aria-busy]"));
    },
  };
})();
