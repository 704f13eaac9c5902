// @ts-check
/** What keys do, and the dialog that says so. */

import { h } from "./h.js";

const KEYS = [
  ["/", "go to the search"],
  ["Tab", "go to the next control"],
  ["← →", "go to the next tab or column"],
  ["↑ ↓", "go to the next row of a table"],
  ["Enter", "open the run of a row; sort by a column"],
  ["Space", "select the run of a row, to compare it"],
  ["Esc", "leave a search, a menu or this list"],
  ["?", "show this list"],
];

/** @type {HTMLElement | null} */
let dialog = null;

/** Begins to listen to the keys of the whole page. */
export function startKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (isTyping(event.target)) {
      if (event.key === "Escape") /** @type {HTMLElement} */ (event.target).blur();
      return;
    }
    if (event.key === "?") {
      event.preventDefault();
      showKeys();
    } else if (event.key === "/") {
      const search = document.querySelector("main input[type=search]");
      if (!(search instanceof HTMLInputElement)) return;
      event.preventDefault();
      search.focus();
      search.select();
    }
  });
}

/** Shows what keys do. */
export function showKeys() {
  if (!dialog) {
    const rows = KEYS.map(([key, what]) => h("tr", {}, h("td", {}, h("kbd", {}, key)),
      h("td", {}, what)));
    dialog = h("dialog", { class: "keys", "aria-labelledby": "keys-title" },
      h("h2", { id: "keys-title" }, "Keys"), h("table", {}, h("tbody", {}, rows)),
      h("button", { type: "button", onclick: () =>
        /** @type {HTMLDialogElement} */ (dialog).close() }, "Close"));
    document.body.append(dialog);
  }
  const shown = /** @type {HTMLDialogElement} */ (dialog);
  if (!shown.open) shown.showModal();
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return target instanceof HTMLElement
    && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)
      && !/^(checkbox|radio|button|range)$/.test(/** @type {HTMLInputElement} */ (target).type));
}
