// @ts-check
/** Colours of what is drawn, from those of the theme. */

/** After Okabe and Ito, "Color Universal Design" (2008); a contrast of 3:1 or more with the ground. */
const LIGHT = [
  "#0072b2", "#c75300", "#00855f", "#b5529a", "#a67300",
  "#2f89c5", "#6b4fa0", "#71730a", "#a3283f", "#5f6368",
]; // prettier-ignore
const DARK = [
  "#4ba7ee", "#ff8f4d", "#2fcf9f", "#e795cb", "#f2b93b",
  "#9bd5ff", "#b7a0f0", "#cfd15a", "#f07f92", "#b9bdc4",
]; // prettier-ignore
const DASHES = ["solid", "dashdot", "dot"];

/** Scales of heat maps, from little to much: lightness alone orders them, for any eye. */
const HEAT_LIGHT = [
  [0, "#f6f3ee"], [0.15, "#fde0b0"], [0.4, "#f5a35a"], [0.65, "#d9573c"], [0.85, "#9c2040"], [1, "#45093a"],
]; // prettier-ignore
const HEAT_DARK = [
  [0, "#1b2130"], [0.15, "#3b2a55"], [0.4, "#80306a"], [0.65, "#cd514f"], [0.85, "#f6994b"], [1, "#fdf0b0"],
]; // prettier-ignore

/**
 * The colour of the curve of some number; they come around again after ten.
 * @param {{isDark: boolean}} colors Those of the theme.
 * @param {number} index Number of the curve, from 0.
 * @returns {string} As `#rrggbb`.
 */
export function lineColor(colors, index) {
  const own = colors.isDark ? DARK : LIGHT;
  return own[index % own.length];
}

/**
 * How the line of the curve of some number is broken, once the colours have come around.
 * @param {number} index
 * @returns {string} Plotly's name of it.
 */
export function lineDash(index) {
  return DASHES[Math.floor(index / LIGHT.length) % DASHES.length];
}

/**
 * The same colour, seen through.
 * @param {string} color As `rgb(1, 2, 3)` or `#010203`.
 * @param {number} opacity From 0 to 1.
 */
export function fade(color, opacity) {
  return `rgba(${channels(color).join(",")},${opacity})`;
}

/** @param {{isDark: boolean}} colors @returns {any[]} Plotly's colour scale. */
export function heatScale(colors) {
  return colors.isDark ? HEAT_DARK : HEAT_LIGHT;
}

/** @param {string} color @returns {number[]} */
function channels(color) {
  if (color.startsWith("#")) {
    return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
  }
  return (color.match(/[\d.]+/g) ?? ["0", "0", "0"]).slice(0, 3).map(Number);
}
