/* What HTML and htmx do not do by themselves. Everything works without this file, with whole pages. */
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const busy = new WeakMap(); // element -> the request that it waits for
  let opener = null; // what opened the dialog, and gets the focus back
  let focused = null; // what had the focus before the answer came into the page
  let refused = null; // what the list was asked when the visit was over

  /* ---- The dialog: opened when something has been put into it ---- */

  function openDialog(dialog) {
    const heading = dialog.querySelector("h1, h2");
    if (heading && heading.id) dialog.setAttribute("aria-labelledby", heading.id);
    if (!dialog.open) dialog.showModal();
    const keptFor = dialog.querySelector("[name=kept_for]");
    if (keptFor && !keptFor.value) keptFor.value = dialog.querySelector("#dialog-username").value = byId("hvem").dataset.user;
  }

  // Signed in again as the same user: the forms of the page get the token of the new visit, and the list is asked again
  // what it could not answer. Another one begins anew.
  document.addEventListener("innlogget", (event) => {
    if (event.detail.user !== byId("hvem").dataset.user) {
      event.stopImmediatePropagation(); // nothing of the page is sent
      return location.assign("/");
    }
    for (const field of document.querySelectorAll("[name=csrf_token]")) field.value = event.detail.token;
    const ctx = refused;
    refused = null;
    byId("dialog").close();
    if (ctx) contact.again(ctx);
  });

  document.addEventListener("htmx:after:settle", (event) => {
    const dialog = byId("dialog");
    if (event.target === dialog && dialog.childElementCount) openDialog(dialog);
    // A refusal is shown on the page, which an open dialog would hide.
    else if (event.target.id === "varsler" && dialog.open) dialog.close();
  });

  // «close» does not bubble, but it can be captured.
  document.addEventListener("close", (event) => {
    if (event.target.id !== "dialog") return;
    event.target.replaceChildren();
    event.target.removeAttribute("aria-labelledby");
    const back = opener && (opener.isConnected ? opener : byId(opener.id));
    if (back) back.focus();
    if (refused) later.length = 0; // closed without signing in
    opener = refused = null;
  }, true);

  /* ---- Waiting, and keeping the focus ---- */

  document.addEventListener("htmx:before:request", (event) => {
    const { ctx } = event.detail;
    ctx.had = document.activeElement;
    const target = ctx.target instanceof Element && ctx.swap !== "none" ? ctx.target : null;
    if (!target) return;
    if (target.id === "dialog" && !target.open) opener = ctx.request.submitter || ctx.sourceElement;
    target.setAttribute("aria-busy", "true");
    busy.set(target, ctx);
    ctx.waiting = target;
    ctx.meant = ctx.swap; // an answer may lead elsewhere
  });

  document.addEventListener("htmx:finally:request", (event) => {
    const { ctx } = event.detail;
    if (!ctx.waiting || busy.get(ctx.waiting) !== ctx) return;
    ctx.waiting.removeAttribute("aria-busy");
    busy.delete(ctx.waiting);
  });

  document.addEventListener("htmx:before:swap", () => { focused = document.activeElement; });

  // htmx gives the focus back to an element with the same id. If there is none, the swapped part gets it.
  document.addEventListener("htmx:after:swap", (event) => {
    const target = event.detail.ctx.waiting;
    if (!target || !target.isConnected || !focused || focused.isConnected) return;
    if (document.activeElement && document.activeElement !== document.body) return;
    // The last chip is gone: the button of the panel is the nearest place that stays.
    const place = (focused.closest(".chips, #fjern-alle") && byId("panel-bryter")) || target;
    if (!place.hasAttribute("tabindex") && place === target) place.tabIndex = -1;
    place.focus({ preventScroll: true });
  });

  /* ---- The list: how it stood on screen ---- */

  const isAbout = (ctx, ...ids) => Boolean(ctx.waiting) && ids.includes(ctx.waiting.id);
  const scrolled = () => document.querySelectorAll("#resultat .scroll, #resultat thead");
  let aside = []; // how far these were scrolled to the side
  let wasUnfolded = false;

  document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
    if (!isAbout(ctx, "resultat")) return;
    aside = [...scrolled()].map((box) => box.scrollLeft);
    wasUnfolded = Boolean(document.querySelector(".folded > [open]"));
  });

  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    const list = ctx.waiting;
    if (isAbout(ctx, "resultat") && ctx.target === list) {
      scrolled().forEach((box, place) => { box.scrollLeft = aside[place] || 0; });
      const fold = document.querySelector(".folded > details");
      if (fold && wasUnfolded) fold.open = true;
      // Another page of it is read from its first row.
      const table = list.querySelector(".scroll") || list;
      if (table.getBoundingClientRect().top < 0) table.scrollIntoView();
    }
    // Who has asked for the list, or to close the panel, is led to what is wrong.
    if (isAbout(ctx, "panel") || (isAbout(ctx, "resultat") && ctx.sourceEvent && ctx.sourceEvent.type === "submit")) {
      const wrong = document.querySelector("#panel [aria-invalid=true]");
      if (wrong) wrong.focus();
    }
  });

  // After Back and after reloading the page stands where it stood by itself, a table that scrolls within it does not. Who
  // comes back from a participant, by a link or a button, finds both where they were left.
  const PARTICIPANT = /^\/deltakere\/(ny|[\w-]{16})(\/|$)/;
  const placeOf = () => `sted ${location.pathname}${location.search}`;
  window.addEventListener("pagehide", () => {
    const table = document.querySelector("#resultat .scroll");
    if (table) sessionStorage.setItem(placeOf(), JSON.stringify([window.scrollY, table.scrollTop]));
  });

  function standWhereLeft() {
    const table = document.querySelector("#resultat .scroll");
    const [came] = performance.getEntriesByType("navigation");
    const left = JSON.parse(sessionStorage.getItem(placeOf()));
    if (!table || !came || !left) return;
    const isBack = came.type === "navigate" && PARTICIPANT.test(document.referrer.replace(location.origin, ""));
    if (isBack || came.type !== "navigate") table.scrollTop = left[1];
    if (isBack) window.scrollTo(0, left[0]);
  }
  standWhereLeft();
  // The row that the address names is scrolled to by the browser, too, until all is there.
  window.addEventListener("load", standWhereLeft);

  /* ---- The ways to other orders and pages of the list ask for the list alone ---- */

  // Said here once: in each of the links it would be a thirtieth of every answer.
  document.addEventListener("htmx:before:process", ({ target }) => {
    for (const link of target.querySelectorAll("#resultat :is(thead, nav) a")) {
      Object.assign(link.dataset, { hxGet: link.getAttribute("href"), hxTarget: "#resultat", hxSync: "#resultat:replace" });
    }
  });

  /* ---- The list and its criteria: what is asked for next builds upon the answer that is under way ---- */

  // Each answer brings new chips, sort links and pages, so one of these that is pressed meanwhile would forget what
  // is being asked for. It waits, and its successor is pressed. A newer state of the form replaces the older.
  const later = [];
  const kind = ({ request: { method, submitter } }) => {
    if (submitter && submitter.id === "fjern-alle") return "all";
    if (method === "GET") return "link";
    return submitter && ["fjern", "go"].includes(submitter.name) ? "chip" : "form";
  };

  // Who presses Enter in a field has said all; leaving it afterwards says the same once more.
  const said = new WeakMap(); // form that is sent as soon as something changes in it -> what it has said last

  function isSaid(form, ctx, before) {
    const fields = [...(ctx.request.body || [])].filter(([name]) => name !== "visning");
    const now = kind(ctx) === "form" ? JSON.stringify(fields) : "";
    const again = now && now === said.get(form) && (before || ctx.sourceEvent.type === "change");
    said.set(form, now);
    return again;
  }

  const AT_ONCE = "form[data-hx-trigger*=change][data-hx-post]:not(#liste)"; // other lists, such as the access log

  document.addEventListener("htmx:config:request", (event) => {
    const { ctx } = event.detail;
    if (ctx.sourceElement.matches(AT_ONCE) && isSaid(ctx.sourceElement, ctx, busy.get(ctx.target))) event.preventDefault();
  });

  document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
    if (ctx.sourceElement.matches(AT_ONCE) && ctx.status !== "swapped" && !busy.has(ctx.waiting)) said.delete(ctx.sourceElement);
  });

  function again(element) {
    if (element.isConnected) return element;
    const label = element.getAttribute("aria-label");
    const chips = [...document.querySelectorAll(".chips button")];
    return element.name === "fjern" ? chips.find((chip) => chip.getAttribute("aria-label") === label) : byId(element.id);
  }

  const isPanel = (target) => target instanceof Element && target.id === "panel";
  const panelStands = () => document.querySelector("#panel [name=panel]");

  // What the form says was not answered: it is asked again before anything else is, for the list shall be as the form says.
  let isUnanswered = false;

  document.addEventListener("htmx:config:request", (event) => {
    const { ctx } = event.detail;
    const list = byId("resultat");
    const before = list && busy.get(list);
    if (list && ctx.target === list && isSaid(byId("liste"), ctx, before)) return event.preventDefault();
    const opensPanel = ctx.sourceElement.id === "panel-bryter" && ctx.sourceElement.value === "1";
    const movesPanel = opensPanel || (isPanel(ctx.target) && later.length > 0); // closing waits for what is yet to be sent from it
    if ((ctx.target !== list && !movesPanel) || kind(ctx) === "all") return;
    const formFirst = isUnanswered && panelStands() && !before && !movesPanel && kind(ctx) !== "form";
    if (!before && !formFirst) return;
    if (before && !movesPanel && kind(ctx) === kind(before) && kind(ctx) !== "chip") return;
    event.preventDefault();
    const pressed = ctx.request.submitter || ctx.sourceElement;
    later.push(() => {
      // Without the panel the form would say that nothing is asked.
      if (pressed.id === "liste") return panelStands() ? pressed.requestSubmit() : next();
      const successor = again(pressed);
      if (successor) successor.click();
      else next();
    });
    if (formFirst) byId("liste").requestSubmit();
  });

  function next() {
    const step = later.shift();
    if (step) step();
  }

  document.addEventListener("htmx:finally:request", (event) => {
    const { ctx } = event.detail;
    if (!isAbout(ctx, "resultat") || busy.has(ctx.waiting)) return;
    const isAnswered = ctx.status === "swapped" && ctx.target === ctx.waiting;
    if (["form", "all"].includes(kind(ctx))) isUnanswered = !isAnswered;
    if (isAnswered) return next();
    if (!isSignedOut(ctx)) later.length = 0;
    said.delete(byId("liste"));
  });

  /* ---- A file holds what the page says: it waits for what is being asked for, and for what has not been sent yet ---- */

  const FILE = "a:is([href*='.csv'], [href*='.xlsx'])";
  const wanted = new Map(); // list -> the file that is wanted of it
  const fileOf = (list, link) => [...list.querySelectorAll(FILE)].find((one) => one.pathname === link.pathname);

  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest(`:is(#resultat, #logg) ${FILE}`);
    if (!link || event.defaultPrevented) return;
    const list = link.closest("#resultat, #logg");
    const field = document.activeElement;
    if (field && field.form && field !== link) { // pressed by something else than a pointer or the keyboard
      event.preventDefault();
      link.focus(); // what has been typed is sent when its field is left
      return void setTimeout(() => link.click());
    }
    const formFirst = list.id === "resultat" && isUnanswered && panelStands() && !busy.has(list);
    if (!busy.has(list) && !formFirst) return;
    event.preventDefault();
    if (!wanted.has(list) && list.id === "resultat") later.push(() => { fetchWanted(list); next(); });
    wanted.set(list, link);
    if (formFirst) byId("liste").requestSubmit();
  });

  function fetchWanted(list) {
    const link = wanted.get(list);
    const successor = link && fileOf(list, link);
    wanted.delete(list);
    if (successor) successor.click();
  }

  document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
    const list = ctx.waiting;
    if (!wanted.has(list) || busy.has(list)) return;
    if (ctx.status !== "swapped" || ctx.target !== list) {
      if (!isSignedOut(ctx)) wanted.delete(list);
    } else if (list.id !== "resultat") fetchWanted(list);
  });

  const isSignedOut = (ctx) => ctx.hx && ctx.hx.retarget === "#dialog";
  let renewed = 0; // when the forms got the token of a visit that began in another tab

  document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
    if (!isAbout(ctx, "resultat", "panel")) return;
    if (isSignedOut(ctx)) refused = ctx;
    else if (ctx.response && ctx.response.status === 400 && ctx.hx.trigger && Date.now() - renewed > 5000) {
      renewed = Date.now();
      byId("varsler").replaceChildren();
      contact.again(ctx);
    }
  });

  // What has been typed or chosen since the question was sent stays in a field that the answer draws anew.
  document.addEventListener("htmx:before:swap", ({ detail: { ctx, tasks } }) => {
    const sent = ctx.request.body;
    if (!(sent instanceof URLSearchParams)) return;
    for (const { type, target, fragment } of tasks) {
      if (type !== "partial" || !(target instanceof Element)) continue;
      // A question that was not sent has not been touched: what others have answered takes its place.
      if (target.matches(".question") && !sent.has(target.id)) continue;
      for (const old of target.querySelectorAll("input:not([type=hidden]), select, textarea")) {
        const drawn = fragment.getElementById(old.id);
        if (!drawn) continue;
        if (old.type === "checkbox" || old.type === "radio") {
          if (old.checked !== sent.getAll(old.name).includes(old.value)) drawn.checked = old.checked;
        } else if (old.value !== (sent.get(old.name) || "").replace(/\r\n/g, "\n")) drawn.value = old.value;
      }
    }
  });

  // The same list again is no new place to come back to.
  document.addEventListener("htmx:before:history:update", (event) => {
    if (event.detail.history.path === location.pathname + location.search) event.preventDefault();
  });
})();
