// @ts-check
/** The page: its bar, its banner, and the view that the address names. */

import { listen, onConnection } from "./events.js";
import { fill, setAttribute, setText } from "./h.js";
import { showKeys, startKeys } from "./keys.js";
import { startRouter } from "./router.js";
import { chosenTheme, nextTheme } from "./theme.js";

const THEMES = { auto: "Theme: system", light: "Theme: light", dark: "Theme: dark" };

const element = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

function sayTheme() {
  setText(element("theme"), THEMES[/** @type {keyof typeof THEMES} */ (chosenTheme())]);
}

/** @param {boolean} isThere */
function sayConnection(isThere) {
  const banner = element("banner");
  fill(banner, isThere ? null : "The board has ended; this is what was there. It is asked again every few seconds.");
  setAttribute(banner, "hidden", isThere ? "" : null);
  setText(element("connection"), isThere ? "" : "not connected");
}

startRouter(element("view"));
startKeys();
sayTheme();
element("theme").addEventListener("click", () => {
  nextTheme();
  sayTheme();
});
element("keys").addEventListener("click", showKeys);
onConnection(sayConnection);
listen();
