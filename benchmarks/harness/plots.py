"""Plots of a result: a panel for each question, with lines if it was asked for several sizes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness.result import Case, Result

COLUMNS = 2
MOST_PANELS = 12
"""Most panels of a plot; the table has all figures."""

_OURS = ("#0b6e4f", "#74c69d", "#1b998b", "#95d5b2")
_PEERS = ("#8d99ae", "#bc6c25", "#5e548e", "#b56576", "#457b9d", "#6b705c")


def draw(result: Result, path: Path) -> Path | None:
    """Draws the cases of a result as SVG.

    Args:
        result: Result that is drawn.
        path: Path of the plot.

    Returns:
        The path; None if no case can be compared with another.
    """
    import matplotlib

    matplotlib.use("svg")
    # Text stays text, and the same figures give the same bytes.
    matplotlib.rcParams.update(
        {"svg.fonttype": "none", "svg.hashsalt": "raymon", "font.size": 9, "axes.titlesize": 9}
    )
    from matplotlib import pyplot

    panels = _panels(result.cases)
    if not panels:
        return None
    rows = -(-len(panels) // COLUMNS)
    heights = [max(_height(panel) for panel in panels[i::rows]) for i in range(rows)]
    figure, axes = pyplot.subplots(
        rows,
        COLUMNS,
        figsize=(11, sum(heights)),
        squeeze=False,
        gridspec_kw={"height_ratios": heights},
    )
    for i, panel in enumerate(panels):
        _panel(axes[i % rows][i // rows], panel)
    for i in range(len(panels), rows * COLUMNS):
        axes[i % rows][i // rows].set_axis_off()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
    return path


def _panels(cases: Sequence[Case]) -> list[list[Case]]:
    """Returns the cases with the same question and unit, if there are several."""
    found: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        found.setdefault((case.question, case.unit), []).append(case)
    return [panel for panel in found.values() if len(panel) > 1][:MOST_PANELS]


def _is_curve(panel: Sequence[Case]) -> bool:
    return len({case.size for case in panel}) > 1


def _height(panel: Sequence[Case]) -> float:
    return 3.0 if _is_curve(panel) else 0.8 + 0.3 * len(panel)


def _panel(axes: Any, panel: Sequence[Case]) -> None:
    axes.set_title(panel[0].question or panel[0].unit, loc="left")
    if _is_curve(panel):
        _curves(axes, panel)
    else:
        _bars(axes, panel)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _curves(axes: Any, panel: Sequence[Case]) -> None:
    for name, color in _colors(panel).items():
        own = [case for case in panel if case.contender == name]
        medians = [case.median for case in own]
        axes.plot(_sizes(own), medians, marker="o", markersize=3, label=name, color=color)
    if _spans_decades(_sizes(panel)):
        axes.set_xscale("log")
    else:
        axes.set_xticks(sorted(set(_sizes(panel))))
    if _spans_decades([case.median for case in panel]):
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=min(0.0, *(case.median for case in panel)))
        _shorten_thousands(axes.yaxis, [case.median for case in panel])
    axes.set_xlabel(panel[0].size_unit)
    axes.set_ylabel(panel[0].unit)
    axes.legend(frameon=False, fontsize=8)


def _sizes(cases: Sequence[Case]) -> list[int]:
    return [case.size for case in cases if case.size is not None]


def _bars(axes: Any, panel: Sequence[Case]) -> None:
    names = [case.contender for case in panel]
    medians = [case.median for case in panel]
    lows = [case.median - min(case.figures) for case in panel]
    highs = [max(case.figures) - case.median for case in panel]
    colors = list(_colors(panel).values())
    axes.barh(names, medians, xerr=(lows, highs), color=colors, height=0.6, ecolor="#555555")
    axes.invert_yaxis()
    axes.set_xlabel(panel[0].unit)
    if min(medians) > 0 and max(medians) > 30 * min(medians):
        axes.set_xscale("log")
    else:
        _shorten_thousands(axes.xaxis, medians)


def _shorten_thousands(axis: Any, values: Sequence[float]) -> None:
    """Shows 120,000 as 120k; small numbers stay as they are, since 500m reads as millions."""
    from matplotlib.ticker import EngFormatter

    if max(values) >= 1_000:
        axis.set_major_formatter(EngFormatter(sep=""))


def _spans_decades(values: Sequence[float]) -> bool:
    return min(values) > 0 and max(values) >= 10 * min(values)


def _colors(panel: Sequence[Case]) -> dict[str, str]:
    """Returns the color of each contender, which is green for those of raymon."""
    names = list(dict.fromkeys(case.contender for case in panel))
    ours = [name for name in names if name.startswith("raymon")]
    peers = [name for name in names if name not in ours]
    return {
        name: colors[group.index(name) % len(colors)]
        for name in names
        for group, colors in ((ours, _OURS), (peers, _PEERS))
        if name in group
    }
