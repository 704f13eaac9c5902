"""A run as a table of HTML, for notebooks: escaped text, and pictures of its curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from raymon.number_text import count_text, duration_text, number_text
from raymon.runs.columns import Columns
from raymon.sinks import Line, chart_svg

_CHARTS = 4


def summary_html(summary: Mapping[str, Any], charts: Sequence[str] = ()) -> str:
    """Returns what `run.json` says of a run, as a table.

    Args:
        summary: The content of `run.json`.
        charts: Pictures of its curves, as SVG.
    """
    rows = "".join(
        f'<tr><th style="text-align:left">{escape(label)}</th>'
        f'<td style="text-align:left">{escape(text)}</td></tr>'
        for label, text in _rows(summary)
        if text
    )
    return f"<table>{rows}</table>" + "".join(charts)


def charts_html(series: Columns, scores: Columns) -> list[str]:
    """Returns pictures of the curves of a run that say most, training and evaluations together."""
    losses = [name for name in series.names if name == "losses.total_loss"]
    metrics = [name for name in series.names if name.startswith("metrics.")]
    others = [name for name in scores.names if name.startswith("metrics.")]
    charts = dict[str, str]()
    for name in [*losses, *metrics, *others]:
        short = name.partition(".")[2]
        train, scored = series.column(name), scores.column(f"metrics.{short}")
        charts.setdefault(
            short,
            chart_svg(
                short,
                Line(series.step, train) if name in series.names else Line(),
                Line(scores.step, scored) if f"metrics.{short}" in scores.names else Line(),
            ),
        )
    return list(charts.values())[:_CHARTS]


def _rows(summary: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "run", str(summary.get("model_dir") or "")
    yield "status", str(summary.get("status") or "")
    yield "error", str(summary.get("error") or "")
    yield "steps", _steps(summary)
    train_s, rate = summary.get("train_s"), summary.get("samples_per_second")
    if isinstance(train_s, int | float):
        yield "training", duration_text(train_s)
    if isinstance(rate, int | float):
        yield "samples/s", count_text(rate)
    workers, restarts = summary.get("workers"), summary.get("restarts")
    yield "workers", "" if workers is None else str(workers)
    yield "restarts", str(restarts or "")
    yield "train", _values(summary.get("train_metrics"))
    yield "eval", _values(summary.get("eval_metrics"))
    yield "best checkpoint", str(summary.get("best_checkpoint") or "")
    yield "", _values(summary.get("best_metrics"))
    yield "exported", str(summary.get("export") or "")
    yield "verdict", str(summary.get("verdict") or "")


def _steps(summary: Mapping[str, Any]) -> str:
    steps, total = summary.get("steps"), summary.get("total_steps")
    if not isinstance(steps, int):
        return ""
    return f"{steps:,}" + (f" of {total:,}" if isinstance(total, int) else "")


def _values(values: object) -> str:
    if not isinstance(values, Mapping):
        return ""
    return "  ".join(
        f"{name} {number_text(value if isinstance(value, int | float) else float('nan'))}"
        for name, value in values.items()
    )
