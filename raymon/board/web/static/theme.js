// @ts-check
/** Light, dark, or as the system has it; and the colours of plots. */

const KEY = "raymon.theme";
const CHOICES = ["auto", "light", "dark"];
const dark = matchMedia("(prefers-color-scheme: dark)");

/** @type {Set<() => void>} */
const listeners = new Set();

/** @returns {string} "auto", "light" or "dark". */
export function chosenTheme() {
  return document.documentElement.dataset.theme ?? "auto";
}

/** Goes to the next choice, and keeps it. */
export function nextTheme() {
  const choice = CHOICES[(CHOICES.indexOf(chosenTheme()) + 1) % CHOICES.length];
  if (choice === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = choice;
  try {
    localStorage.setItem(KEY, choice);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
  tell();
}

/**
 * Calls back when the colours are others, until the signal.
 * @param {() => void} listener
 * @param {AbortSignal} [signal]
 */
export function onTheme(listener, signal) {
  if (signal?.aborted) return;
  listeners.add(listener);
  signal?.addEventListener("abort", () => listeners.delete(listener), { once: true });
}

/** @returns {boolean} Whether the ground is dark. */
export function isDark() {
  const chosen = chosenTheme();
  return chosen === "auto" ? dark.matches : chosen === "dark";
}

/**
 * The colours of now, of what is around curves, as `rgb()` text. Those of curves are in
 * `plots/palette.js`.
 * @returns {{isDark: boolean, text: string, muted: string, background: string, surface: string,
 *   line: string, accent: string, good: string, warning: string, bad: string}}
 */
export function themeColors() {
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const color = (/** @type {string} */ name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const colors = {
    isDark: isDark(),
    text: color("text"),
    muted: color("muted"),
    background: color("background"),
    surface: color("surface"),
    line: color("line"),
    accent: color("accent"),
    good: color("good"),
    warning: color("warning"),
    bad: color("bad"),
  };
  probe.remove();
  return colors;
}

function tell() {
  for (const listener of [...listeners]) listener();
}

dark.addEventListener("change", () => {
  if (chosenTheme() === "auto") tell();
});
