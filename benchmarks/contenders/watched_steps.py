"""Steps that raymon watches, with reporters that answer, are slow, hang, or are gone."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.contenders.clicks import ROWS, Clicks, Times, timed
from raymon.metrics import DecayAUC, TrainMetricWrapper
from raymon.recorder import Outbox, Recorder
from raymon.reporter import InProcessReporter, Reporter
from raymon.results import BACKWARD, FORWARD, OPTIMIZER, PEERS
from raymon.sinks import BackgroundSink, TensorBoard

WINDOW = 100
"""Number of steps of a window."""


class _TimedRecorder(Recorder):
    """A recorder that notes how long each end of a window takes the training thread, in seconds."""

    window_ends: Times

    def cut(self, checkpoint: bool = False, last: bool = False) -> None:
        has_steps = self._step > self._first_step
        began = time.perf_counter()
        super().cut(checkpoint, last)
        if has_steps:
            self.window_ends.append(time.perf_counter() - began)


def watched_steps(name: str, window_ends: Times, steps: int, directory: Path) -> Times:
    """Returns the seconds of watched steps.

    Args:
        name: Name of the reporter in `CHANNELS`.
        window_ends: List that the seconds of each end of a window are added to.
        steps: Number of steps.
        directory: Directory of the run.
    """
    model, channel = Clicks(), CHANNELS[name]
    directory.mkdir()
    curves = BackgroundSink(TensorBoard(directory, ("loss", "learning_rate")))
    reporter = InProcessReporter(Reporter(directory, [curves], WINDOW, 10.0))
    auc = TrainMetricWrapper(DecayAUC())
    attempt = reporter.begin_attempt("a", 1, 0, {"auc": TrainMetricWrapper(DecayAUC())})
    outbox = Outbox(channel(reporter), lambda ack: None)
    recorder = _TimedRecorder(
        attempt=attempt,
        rank=0,
        metrics={"auc": auc},
        update_train_metric=auc.update,
        log_step_count_steps=WINDOW,
        outbox=outbox,
        device=torch.device("cpu"),
    )
    recorder.window_ends = window_ends

    def step(rows: Tensor, clicks: Tensor) -> None:
        for phase in (FORWARD, BACKWARD, PEERS, OPTIMIZER):
            recorder.clock.enter(phase)
        loss, predictions = model.step(rows, clicks)
        recorder.step(
            {"binary_cross_entropy": loss},
            predictions,
            clicks,
            samples=ROWS,
            weights=float(ROWS),
            learning_rates=(1e-3,),
        )

    with recorder.clock.counting_garbage_collection():
        times = timed(steps, step)
    recorder.close(timeout_s=0.0 if channel in (_Hung, _Dead) else 5.0)
    return times


class _Slow:
    """A reporter that answers after a second."""

    def __init__(self, reporter: InProcessReporter) -> None:
        self._reporter = reporter

    def report(self, message: bytes) -> Future[Any]:
        return self._later(lambda: self._reporter.report(message))

    def acknowledged(self) -> Future[Any]:
        return self._later(self._reporter.acknowledged)

    def _later(self, call: Callable[[], Future[Any]]) -> Future[Any]:
        answer: Future[Any] = Future()
        timer = threading.Timer(1.0, lambda: answer.set_result(call().result()))
        timer.daemon = True
        timer.start()
        return answer


class _Hung:
    """A reporter that takes everything and never answers."""

    def __init__(self, reporter: InProcessReporter) -> None:
        pass

    def report(self, message: bytes) -> Future[Any]:
        return Future()

    acknowledged = report


class _Dead:
    """A reporter that is gone."""

    def __init__(self, reporter: InProcessReporter) -> None:
        pass

    def report(self, message: bytes) -> Future[Any]:
        raise ConnectionError("the reporter is gone")

    acknowledged = report


CHANNELS: Mapping[str, Callable[[InProcessReporter], Any]] = {
    "raymon": lambda reporter: reporter,
    "raymon, reporter is slow": _Slow,
    "raymon, reporter hangs": _Hung,
    "raymon, reporter is dead": _Dead,
}


def window_ends(windows: int) -> Times:
    """Returns the seconds that each end of a window takes the training thread."""
    ends: Times = []
    with tempfile.TemporaryDirectory() as directory:
        watched_steps("raymon", ends, windows * WINDOW, Path(directory) / "run")
    return ends
