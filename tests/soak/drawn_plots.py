"""What Plotly drew on a page of a browser, and the files that it gave."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from benchmarks.harness.driven_page import DrivenPage

_DOWNLOAD_S = 30.0

TIP = "document.querySelector('.plot-tip:not([hidden]) .plot-tip-title')?.innerText"
"""JavaScript for where the crosshair is."""


def open_run(page: DrivenPage, board: str, name: str, tab: str = "curves", query: str = "") -> None:
    """Opens a tab of the run of some name."""
    page.go(board)
    runs = "fetch('api/runs').then((a) => a.json())"
    found = page.wait_for(
        f"{runs}.then((a) => a.runs.find((r) => r.name === {json.dumps(name)})?.id)"
    )
    page.go(f"{board}run/{found}/{tab}{query}")


def chart(key: str) -> str:
    """Returns JavaScript for what Plotly drew of a chart of curves."""
    all_charts = "[...document.querySelectorAll('.chart-place')]"
    place = f"{all_charts}.find((e) => e.dataset.chart === {json.dumps(key)})"
    return f"{place}?.querySelector('.plot-canvas')"


def card(title: str) -> str:
    """Returns JavaScript for what Plotly drew in a card of its own."""
    return f"document.querySelector('section[aria-label={json.dumps(title)}] .plot-canvas')"


def traces(page: DrivenPage, graph: str, **meta: str) -> list[dict[str, Any]]:
    """Returns the traces of a plot whose `meta` has these entries."""
    wanted = " && ".join(f"t.meta?.[{json.dumps(k)}] === {json.dumps(v)}" for k, v in meta.items())
    page.wait_for(
        f"({graph})?.data?.some((t) => (t.x?.length || t.z?.length) && ({wanted or 'true'}))"
    )
    parts = "x: t.x, y: t.y, z: t.z, meta: t.meta ?? {}, line: t.line, mode: t.mode"
    found = page.find(f"({graph}).data.map((t) => ({{{parts}}}))")
    return [each for each in found if meta.items() <= each["meta"].items()]


def box(page: DrivenPage, graph: str) -> dict[str, float]:
    """Returns the pixels of the inside of a plot."""
    page.wait_for(f"({graph})?.querySelector('.nsewdrag')")
    page.find(f"({graph}).scrollIntoView({{block: 'center'}})")
    inside = f"({graph}).querySelector('.nsewdrag').getBoundingClientRect().toJSON()"
    return dict(page.find(inside))


def shown(page: DrivenPage, graph: str) -> list[float]:
    """Returns the range of x that a plot shows."""
    page.wait_for(f"({graph})?.layout?.xaxis?.range")
    return [float(each) for each in page.find(f"({graph}).layout.xaxis.range")]


def use(page: DrivenPage, graph: str, tool: str) -> None:
    """Presses one of the buttons of a plot, such as "CSV"."""
    page.find(
        f"({graph}).closest('.plot-card').querySelector('.plot-tool[data-tool={tool}]').click()"
    )


def focus(page: DrivenPage, graph: str) -> None:
    """Gives the keyboard to a plot."""
    page.find(f"({graph}).closest('.plot-area').focus()")


def kept(folder: Path, name: str) -> bytes:
    """Returns a file that the page gave, once it is there."""
    deadline = time.monotonic() + _DOWNLOAD_S
    while not (folder / name).exists() or list(folder.glob("*.crdownload")):
        assert time.monotonic() < deadline, sorted(folder.iterdir())
        time.sleep(0.1)
    return (folder / name).read_bytes()
