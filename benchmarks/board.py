"""How soon is a run on a page, and what does that cost: raymon's board beside TensorBoard.

A headless Chromium loads the page of a made run of 100,000 windows, which has peaks and a gap.
Measured are the milliseconds from the navigation to the first paint, and until a curve with the
last step is drawn, in a browser that has nothing of either page in its cache. raymon reads a run
when its page is opened: "first look" has that in it, and "again" has not. TensorBoard reads its
event files when it starts, and is measured once it has; of a curve it keeps 1,000 points, chosen at
random.

Then lines of windows are appended to a run that goes on, and the time is taken until the curve on
raymon's page has them; TensorBoard reloads nothing unless it is told to, and then every 30 s. Last,
memory and CPU of the servers.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.contenders.pages import LAST_STEPS, Page, board, tensorboard
from benchmarks.harness import Case, Ratio, Result, Target
from benchmarks.harness.browser import Browser
from benchmarks.harness.driven_page import DrivenPage
from benchmarks.inputs.made_curves import STEPS, WINDOW_S, MadeCurves
from benchmarks.inputs.made_run import write_run
from raymon.sinks import WindowLines

ROUNDS = 5
WINDOWS, QUICK_WINDOWS = 100_000, 2_000
RANKS = 8

FIRST, AGAIN, PEER = "raymon, first look", "raymon, again", "TensorBoard"
PAINT, DRAWN = "until the first paint", "until curves are drawn"
LAG = "from the line of a window to its point on the page"

_IDLE_S, _QUICK_IDLE_S = 20.0, 3.0
_SETTLES_S = 2.0
"""Seconds in which a server ends what it had begun for a page that was closed."""

_APPENDED, _QUICK_APPENDED = 20, 3
_WAIT_S = 120.0

Times = tuple[float, float]
"""Milliseconds until the first paint, and until curves are drawn."""


def missing() -> str | None:
    """Returns what this machine lacks, in a line."""
    return None if shutil.which("chromium") else "board needs Chromium, and there is none"


def run(rounds: int, quick: bool) -> Result:
    """Measures both pages, in turns, then what changes and what it costs."""
    windows = QUICK_WINDOWS if quick else WINDOWS
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name) / "made"
        begin = time.time() - windows * WINDOW_S
        write_run(directory, MadeCurves(windows, RANKS, begin), events=True)
        found = list(
            _loads(directory, windows * STEPS, rounds, _QUICK_IDLE_S if quick else _IDLE_S)
        )
        lags, looked_at = _lags(Path(name) / "going-on", _QUICK_APPENDED if quick else _APPENDED)
    cases = {case.contender + case.question: case for case in found}
    last = [
        Case("raymon", "s", lags, LAG),
        Case("raymon", "%", [looked_at], "CPU of the server while a run that goes on is looked at"),
    ]
    paint, drawn = cases[AGAIN + PAINT], cases[AGAIN + DRAWN]
    memory = "memory of the server"
    ratios = [
        Ratio.faster("first paint, times faster", paint, cases[PEER + PAINT]),
        Ratio.faster("curves drawn, times faster", drawn, cases[PEER + DRAWN]),
        Ratio.share(memory, cases["raymon" + memory], cases[PEER + memory], at_least=False),
    ]
    first, idle = cases[FIRST + PAINT].median / 1000, cases["raymon" + _IDLE].median
    limits = [
        Target("seconds until the first paint, first look", first, 1.0, first <= 1.0),
        Target("longest seconds from a window to the page", max(lags), 2.0, max(lags) <= 2.0),
        Target("% of a core while nobody looks", idle, 1.0, idle <= 1.0),
    ]
    return Result("board", [*found, *last], ratios, limits)


_IDLE = "CPU of the server while nobody looks"


def _loads(directory: Path, step: int, rounds: int, idle_s: float) -> Iterator[Case]:
    times: dict[str, list[Times]] = {FIRST: [], AGAIN: [], PEER: []}
    costs: dict[str, list[Times]] = {"raymon": [], PEER: []}
    for _ in range(rounds):
        with board(directory) as page:
            times[FIRST].append(_load(page, f"{LAST_STEPS}.includes({step})"))
            times[AGAIN].append(_load(page, f"{LAST_STEPS}.includes({step})"))
            time.sleep(_SETTLES_S)
            costs["raymon"].append((page.mib, page.cpu_percent(idle_s)))
        with tensorboard(directory, step) as page:
            text = f"document.body.innerText.includes({f'{step:,}'!r})"
            times[PEER].append(_load(page, text))
            time.sleep(_SETTLES_S)
            costs[PEER].append((page.mib, page.cpu_percent(idle_s)))
    for place, question in enumerate((PAINT, DRAWN)):
        for name, found in times.items():
            yield Case(name, "ms", [each[place] for each in found], question)
    for place, (unit, question) in enumerate((("MiB", "memory of the server"), ("%", _IDLE))):
        for name, found in costs.items():
            yield Case(name, unit, [each[place] for each in found], question)


def _load(page: Page, is_drawn: str) -> Times:
    """Loads a page in a fresh browser; returns the milliseconds from the navigation on."""
    # In the page itself, so that the ways of this process are not in it.
    script = f"""const timer = setInterval(() => {{
      if (!({is_drawn})) return;
      window.drawnAt = performance.now();
      clearInterval(timer);
    }}, 10);"""
    with _opened() as browser:
        browser.do("Page.addScriptToEvaluateOnNewDocument", source=script)
        browser.do("Page.navigate", url=page.url)
        drawn = _found(browser, "window.drawnAt")
        paint = browser.find("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        return float(paint), drawn


def _lags(directory: Path, count: int) -> tuple[Sequence[float], float]:
    """Returns the seconds until appended windows are on the page, and the use of a core."""
    curves = MadeCurves(1000, RANKS, time.time() - 1000 * WINDOW_S)
    write_run(directory, curves, goes_on=True)
    lines, lags = WindowLines(directory), list[float]()
    with board(directory) as page, _opened() as browser:
        browser.do("Page.navigate", url=page.url)
        _found(browser, f"{LAST_STEPS}.includes({curves.windows * STEPS})")
        before, began = page.cpu_s, time.monotonic()
        for snapshot in curves.snapshots(curves.windows, curves.windows + count):
            lines.write(replace(snapshot, time=time.time()))
            written = time.monotonic()
            _found(browser, f"{LAST_STEPS}.includes({snapshot.end_step})")
            lags.append(time.monotonic() - written)
            # As windows come, and not in step with the server.
            time.sleep(0.37)
        return lags, 100 * (page.cpu_s - before) / (time.monotonic() - began)


@contextmanager
def _opened() -> Iterator[DrivenPage]:
    with Browser() as browser:
        page = DrivenPage(browser)
        try:
            yield page
        finally:
            page.close()


def _found(page: DrivenPage, expression: str) -> float:
    deadline = time.monotonic() + _WAIT_S
    while True:
        found = page.find(expression)
        if found:
            return float(found)
        assert time.monotonic() < deadline, (expression, page.text("body"), page.errors)
        time.sleep(0.02)
