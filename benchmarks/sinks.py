"""How fast do sinks write: scalars and histograms into TensorBoard, windows into JSON lines.

Measured are the seconds until everything is on disk and the writer is closed, each in a directory
of its own; what was written is read again and counted. raymon's sinks write each event and each
line before the call returns, and cut off what a killed process left half written; the writers of
tensorboardX and torch write on a thread of their own. Histograms are of 65,536 values, which are
counted first, and of 1,000 buckets that are counted already. Last, the time that a call to a sink
in the background takes the thread that publishes.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import torch

from benchmarks.contenders.event_writers import (
    POINTS,
    Write,
    counted,
    histograms,
    points_in,
    scalars,
    snapshot,
)
from benchmarks.contenders.line_writers import lines, lines_in
from benchmarks.harness import Case, Ratio, Result, in_turns
from benchmarks.harness.threads import one_thread
from raymon.sinks import BackgroundSink, TensorBoard

ROUNDS = 5
STEPS, QUICK_STEPS = 1_000, 250
VALUES, BUCKETS = 65_536, 1_000
"""Numbers of values and of buckets of a histogram."""

BEHIND = "a snapshot to a sink in the background"


def run(rounds: int, quick: bool) -> Result:
    """Measures all writers, in turns."""
    one_thread()
    steps = QUICK_STEPS if quick else STEPS
    values = torch.randn(VALUES, generator=torch.Generator().manual_seed(0))
    few = steps // 5
    groups = {
        "scalars into TensorBoard": (
            scalars(steps),
            lambda directory: points_in(directory, "scalar"),
            steps * POINTS,
        ),
        f"histograms of {VALUES:,} values into TensorBoard": (
            histograms(few, values),
            lambda directory: points_in(directory, "histogram"),
            few,
        ),
        f"histograms of {BUCKETS:,} counts into TensorBoard": (
            counted(few, BUCKETS),
            lambda directory: points_in(directory, "histogram"),
            few,
        ),
        "windows into JSON lines": (lines(steps), lines_in, steps),
    }
    cases, ratios = [], []
    for question, (writers, count, expected) in groups.items():
        own = _ask(question, writers, count, expected, rounds)
        cases += own
        name = f"{question}: of what {{}} writes"
        ratios += [Ratio.share(name.format(peer.contender), own[0], peer) for peer in own[1:]]
    behind = in_turns({"raymon": partial(_behind, steps)}, rounds)
    cases += [Case(name, "us", figures, BEHIND) for name, figures in behind.items()]
    return Result("sinks", cases, ratios)


def _ask(
    question: str,
    writers: Mapping[str, Write],
    count: Callable[[Path], int],
    expected: int,
    rounds: int,
) -> list[Case]:
    def measure(write: Write) -> float:
        with tempfile.TemporaryDirectory() as name:
            began = time.perf_counter()
            write(Path(name))
            seconds = time.perf_counter() - began
            written = count(Path(name))
            assert written == expected, f"{written} of {expected} were written"
        return expected / seconds

    found = in_turns({name: partial(measure, write) for name, write in writers.items()}, rounds)
    return [Case(name, "a second", figures, question) for name, figures in found.items()]


def _behind(steps: int) -> float:
    """Returns the microseconds of a call, for fewer calls than may wait."""
    with tempfile.TemporaryDirectory() as name:
        sink = BackgroundSink(TensorBoard(Path(name), ("loss", "learning_rate")))
        # The first call starts the thread.
        sink.write(snapshot(0))
        snapshots = [snapshot(step) for step in range(1, min(steps, 500))]
        began = time.perf_counter()
        for each in snapshots:
            sink.write(each)
        seconds = time.perf_counter() - began
        sink.close()
    return 1e6 * seconds / len(snapshots)
