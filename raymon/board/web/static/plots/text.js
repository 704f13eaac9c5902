/**
 * Text for Plotly, which reads a kind of HTML in all that it is given.
 */

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/**
 * Text that Plotly shows as it is: names of metrics, runs and hosts may have any characters.
 *
 * @param {*} text What is to be shown.
 * @returns {string} The same, with nothing in it that Plotly takes for markup or a template.
 */
export function plain(text) {
  return String(text ?? "")
    .replace(/[\u0000-\u001f\u007f]/g, " ")
    .replace(/[&<>]/g, (sign) => ENTITIES[sign])
    .replace(/%(?=\{)/g, "%\u200b");
}

/**
 * A name of a file from any text.
 *
 * @param {...string} parts What the name is of, such as a run and a metric.
 * @returns {string} The parts with what file systems do not take replaced by "_".
 */
export function fileName(...parts) {
  const name = parts
    .filter(Boolean)
    .join(" ")
    .replace(/[^\p{L}\p{N}._-]+/gu, "_")
    .replace(/^[._]+|_+$/g, "");
  return name.slice(0, 120) || "plot";
}
