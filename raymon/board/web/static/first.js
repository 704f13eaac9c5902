// @ts-check
/**
 * What cannot wait for modules: the theme that was chosen here earlier, so that nothing flashes, and
 * what the view of this address needs, asked for all at once instead of one after the other.
 */
(() => {
  /** Scripts of views beside those of the shell; tests hold them to be all there are. */
  const VIEWS = {
    runs: `views/runs format parts/column_menu parts/grid parts/run_columns parts/one_at_a_time
      parts/status`,
    run: `views/run parts/one_at_a_time parts/run_header parts/tabs format parts/status`,
    curves: `run/curves plots/plotly plots/chart_board plots/linked_view plots/marks plots/palette
      plots/styles plots/x_axis run/charts run/curve_state run/series run/toolbar plots/curve_chart
      plots/ticks plots/download plots/text plots/card plots/crosshair plots/curve_traces
      plots/keys plots/layout plots/legend plots/numbers plots/picture plots/plot
      plots/pointer plots/tip`,
    compare: `views/compare format parts/compared_curves parts/compared_tables plots/palette
      parts/status parts/one_at_a_time plots/chart_board plots/download plots/linked_view
      plots/plotly plots/styles plots/x_axis run/series parts/compared_curve_tools
      parts/compared_charts parts/difference parts/sorted_grid parts/run_columns
      plots/curve_chart plots/text plots/ticks parts/grid plots/card plots/crosshair
      plots/curve_traces plots/keys plots/layout plots/legend plots/marks plots/numbers
      plots/picture plots/plot plots/pointer plots/tip`,
  };

  let chosen = null;
  try {
    chosen = localStorage.getItem("raymon.theme");
  } catch {
    // Without storage the theme is that of the system.
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;

  const address = (/** @type {string} */ path) => new URL(path, document.baseURI);
  /** @param {string} rel @param {string} path @param {string} [as] */
  const preload = (rel, path, as) => {
    const link = document.createElement("link");
    link.rel = rel;
    if (as) link.as = as;
    link.href = address(`static/${path}`).href;
    document.head.append(link);
  };
  const [view = "", id, tab = "curves"] = location.pathname
    .slice(address("./").pathname.length).split("/").filter(Boolean);
  const isRun = view === "run";
  const hasCurves = (isRun && tab === "curves") || view === "compare";
  const names = isRun ? ["run", ...(hasCurves ? ["curves"] : [])] : view === "compare" ? [view] : ["runs"];
  const asked = isRun && id ? `api/runs/${id}`
    : !view && !location.search ? "api/runs?offset=0&limit=100" : "";
  /** @type {any} */
  const page = window;
  page.raymonFirst = new Map();
  if (asked) {
    const { href } = address(asked);
    page.raymonFirst.set(href, fetch(href).catch(() => null));
  }
  for (const name of names) {
    for (const path of VIEWS[/** @type {"runs"} */ (name)].split(/\s+/)) preload("modulepreload", `${path}.js`);
  }
  if (hasCurves) {
    preload("preload", "plots/plots.css", "style");
    const version = document.querySelector('meta[name="plotly"]')?.getAttribute("content") ?? "";
    preload("preload", `plotly.min.js?v=${version}`, "script");
  }
})();
