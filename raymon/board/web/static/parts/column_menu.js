// @ts-check
/** The menu in which columns are shown and hidden. */

import { fill, h } from "../h.js";

/**
 * @param {(key: string, isShown: boolean) => void} onChoice
 * @param {() => void} onReset
 */
export function makeColumnMenu(onChoice, onReset) {
  const list = h("div", { class: "menu-list" });
  const reset = h("button", { type: "button", onclick: onReset }, "As at first");
  const element = h("details", { class: "menu", onkeydown: leave },
    h("summary", { class: "button" }, "Columns"), h("div", { class: "menu-body" }, list, reset));
  let content = "";

  document.addEventListener("click", (event) => {
    if (!element.contains(/** @type {Node} */ (event.target))) element.removeAttribute("open");
  });

  /** @param {KeyboardEvent} event */
  function leave(event) {
    if (event.key !== "Escape" || !element.hasAttribute("open")) return;
    event.preventDefault();
    element.removeAttribute("open");
    /** @type {HTMLElement} */ (element.querySelector("summary")).focus();
  }

  return {
    element,
    /**
     * @param {{group: string, key: string, label: string, title?: string}[]} columns
     * @param {(key: string) => boolean} isShown
     */
    update(columns, isShown) {
      const now = columns.map((column) => `${column.key} ${isShown(column.key)}`).join("\n");
      if (now === content) return;
      content = now;
      const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset?.column;
      const groups = [...new Set(columns.map((column) => column.group))];
      fill(list, groups.map((group) => h("fieldset", {}, h("legend", {}, group),
        columns.filter((column) => column.group === group).map((column) =>
          h("label", { title: column.title ?? null },
            h("input", { type: "checkbox", checked: isShown(column.key),
              dataset: { column: column.key },
              onchange: (/** @type {any} */ event) =>
                onChoice(column.key, event.target.checked) }),
            column.label)))));
      if (focused !== undefined) {
        const again = [...list.querySelectorAll("input")].find((i) => i.dataset.column === focused);
        again?.focus();
      }
    },
  };
}
