// @ts-check
/** A row of tabs that are links; arrow keys go from one to the next. */

import { h, setAttribute } from "../h.js";

/**
 * @param {{name: string, label: string}[]} tabs
 * @param {string} panel Id of the element that they change.
 * @param {(name: string) => string} address Of a tab.
 */
export function makeTabs(tabs, panel, address) {
  const links = tabs.map(({ name, label }) =>
    h("a", { role: "tab", id: `tab-${name}`, class: "tab", "aria-controls": panel,
      href: address(name), "aria-selected": "false", tabindex: "-1" }, label));
  const element = h("nav", { class: "tabs", role: "tablist", "aria-label": "Views of the run",
    onkeydown: move }, links);

  /** @param {KeyboardEvent} event */
  function move(event) {
    const at = links.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: links.length - 1 }[event.key];
    if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " ") {
      event.preventDefault();
      links[at].click();
    } else if (to !== undefined) {
      event.preventDefault();
      const next = links[(to + links.length) % links.length];
      next.focus();
      next.click();
    }
  }

  return {
    element,
    /** @param {string} name Shows which tab is open. */
    select(name) {
      tabs.forEach((tab, i) => {
        const isOpen = tab.name === name;
        setAttribute(links[i], "aria-selected", String(isOpen));
        setAttribute(links[i], "tabindex", isOpen ? "0" : "-1");
        if (isOpen) links[i].scrollIntoView({ block: "nearest", inline: "nearest" });
      });
    },
    /** Brings the addresses up to date. */
    refresh() {
      tabs.forEach((tab, i) => setAttribute(links[i], "href", address(tab.name)));
    },
  };
}
