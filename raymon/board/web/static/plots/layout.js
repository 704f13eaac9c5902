// @ts-check
/** How every plot looks. */

/** Room around a plot in pixels: the same for all, so that their axes stand above each other. */
export const MARGIN = { l: 56, r: 12, t: 8, b: 24 };

/** What Plotly brings by itself and the page has in its own way. */
export const CONFIG = {
  displayModeBar: false,
  displaylogo: false,
  doubleClick: false,
  scrollZoom: false,
  responsive: false,
  showTips: false,
  showAxisDragHandles: false,
  showAxisRangeEntryBoxes: false,
};

/**
 * The layout that plots have in common.
 * @param {any} colors Those of the theme.
 * @param {Record<string, any>} [own] What this plot has beside it; `xaxis`, `yaxis` are added to.
 */
export function layoutOf(colors, own = {}) {
  const { xaxis = {}, yaxis = {}, ...rest } = own;
  return {
    font: { family: "system-ui, sans-serif", size: 11, color: colors.muted },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    margin: { ...MARGIN },
    showlegend: false,
    hovermode: false,
    dragmode: "zoom",
    autosize: true,
    xaxis: { ...axisOf(colors), ...xaxis },
    yaxis: { ...axisOf(colors), ...yaxis },
    ...rest,
  };
}

/** @param {any} colors */
export function axisOf(colors) {
  return {
    gridcolor: colors.line,
    linecolor: colors.line,
    zeroline: false,
    automargin: false,
    exponentformat: "SI",
    minexponent: 4,
    ticklen: 3,
    tickcolor: colors.line,
  };
}
