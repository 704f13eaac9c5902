// @ts-check
/** A plot as a picture. */

import { loadPlotly } from "./plotly.js";
import { themeColors } from "../theme.js";
import { download } from "./download.js";
import { plain } from "./text.js";

const SCALE = 2;
const LEGEND_LINE = 19;

/**
 * A plot as a picture with its title, the run and a legend.
 * @param {{data: any[], layout: any, title: string, run: string, width: number, height: number}} plot
 *   What `drawn` of a plot gives.
 * @param {"svg"|"png"} format
 * @returns {Promise<Blob>}
 */
export async function pictureOf({ data, layout, title, run, width, height }, format) {
  const Plotly = await loadPlotly();
  const colors = themeColors();
  const named = data.filter((trace) => trace.showlegend !== false && trace.name).length;
  const legend = layout.pictureLegend === false || named === 0 ? 0 : LEGEND_LINE * Math.ceil(named / 3) + 8;
  const drawn = {
    ...layout,
    width: Math.max(480, width),
    height: Math.max(280, height) + 56 + legend,
    paper_bgcolor: colors.surface,
    plot_bgcolor: colors.surface,
    margin: { ...layout.margin, l: layout.margin.l + 8, r: layout.margin.r + 8, t: 56, b: layout.margin.b + legend + 4 },
    title: {
      text: `<b>${plain(title)}</b><br><span style="font-size:11px">${plain(run)}</span>`,
      font: { size: 14, color: colors.text },
      x: 0, xanchor: "left", xref: "paper", y: 1, yanchor: "top", yref: "container", pad: { t: 10 },
    },
    showlegend: legend > 0,
    legend: { orientation: "h", x: 0, xanchor: "left", y: 0, yref: "container", yanchor: "bottom", font: { size: 11, color: colors.text } },
  }; // prettier-ignore
  const address = await Plotly.toImage(
    { data, layout: drawn, config: {} },
    { format, width: drawn.width, height: drawn.height, scale: format === "png" ? SCALE : 1 },
  );
  return blobOf(address);
}

/**
 * Gives a picture of a plot to who looks.
 * @param {any} plot As for `pictureOf`.
 * @param {"svg"|"png"} format
 */
export async function savePicture(plot, format) {
  const picture = await pictureOf(plot, format);
  download(picture, picture.type, [plot.run, plot.title, format]);
}

/** @param {string} address A data URL; it is not fetched, as the page may fetch from its server alone. */
function blobOf(address) {
  const [head, body] = [address.slice(0, address.indexOf(",")), address.slice(address.indexOf(",") + 1)];
  const type = head.slice(5).split(/[;,]/)[0];
  if (!head.endsWith(";base64")) return new Blob([decodeURIComponent(body)], { type });
  const bytes = Uint8Array.from(atob(body), (sign) => sign.charCodeAt(0));
  return new Blob([bytes], { type });
}
