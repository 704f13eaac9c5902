// @ts-check
/** Plotly, which is large: loaded when the first plot needs it. */

/** @type {Promise<any> | null} */
let loading = null;

/**
 * Loads Plotly, once.
 * @returns {Promise<any>} The object that is its API.
 */
export function loadPlotly() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    // With its version in the address the browser keeps it, and what it has compiled of it.
    const version = document.querySelector('meta[name="plotly"]')?.getAttribute("content") ?? "";
    script.src = new URL(`static/plotly.min.js?v=${version}`, document.baseURI).href;
    script.onload = () => resolve(/** @type {any} */ (window).Plotly);
    script.onerror = () => {
      loading = null;
      script.remove();
      reject(new Error("The plots cannot be loaded: the board does not answer."));
    };
    document.head.append(script);
  });
  return loading;
}
