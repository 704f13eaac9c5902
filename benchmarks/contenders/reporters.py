"""Reporters of runs and nodes, and processes that stand for the ranks that report to them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import ray
from numpy.typing import NDArray

from benchmarks.inputs.rank_load import KINDS, STEPS, RankLoad, metrics
from raymon.reporter import Reporter
from raymon.reporter.node_reporter import NodeReporter
from raymon.reporter.on_ray import RayReporter, start_reporter
from raymon.reporter.windows.collation import Attempt
from raymon.sinks import BackgroundSink, Sink, TensorBoard, WindowLines
from raymon.wire import Ack

RANKS_A_NODE = 100
PROCESSES = 2
_IN_FLIGHT = 64


@dataclass(frozen=True)
class Taken:
    """What windows of all ranks took.

    Attributes:
        windows: Number of windows of each rank.
        seconds: Seconds in all.
        cpu_s: CPU seconds of the reporter of the run.
        node_cpu_s: CPU seconds of the reporters of nodes.
    """

    windows: int
    seconds: float
    cpu_s: float
    node_cpu_s: float = 0.0


@dataclass
class Held:
    """What one process of nodes measured.

    Attributes:
        sums: By kind of window, the sum of what its ranks measured.
        delays_s: By window, seconds from its due time until it was durable.
        node_cpu_s: CPU seconds of the reporters of nodes.
        load_cpu_s: CPU seconds of making the windows.
    """

    sums: list[NDArray[np.int64]]
    delays_s: list[float]
    node_cpu_s: float
    load_cpu_s: float


class Nodes:
    """A process that stands for some nodes and their ranks.

    Args:
        root: Handle of the reporter of the run.
        attempt: Attempt of the ranks.
        ranks: Ranks of the process, ordered by node.
    """

    def __init__(self, root: Any, attempt: Attempt, ranks: range) -> None:
        starts = range(ranks.start, ranks.stop, RANKS_A_NODE)
        groups = [range(s, min(s + RANKS_A_NODE, ranks.stop)) for s in starts]
        self._loads = [RankLoad(attempt.number, group, group.start) for group in groups]
        channel = RayReporter(root)
        self._nodes = [NodeReporter(attempt, len(group), channel, 10.0) for group in groups]

    def ready(self) -> None:
        """Returns once the windows are made."""

    def report(self, windows: int, interval_s: float) -> Held:
        """Reports windows of all ranks, one every `interval_s` seconds."""
        delays: list[float] = []
        load_s = 0.0
        process = psutil.Process()
        before = sum(process.cpu_times()[:2])
        began = time.monotonic()
        due: list[float] = []
        watching = threading.Thread(target=self._watch, args=(windows, due, delays), daemon=True)
        watching.start()
        for index in range(windows):
            time.sleep(max(0.0, began + index * interval_s - time.monotonic()))
            due.append(began + index * interval_s if interval_s else time.monotonic())
            for load, node in zip(self._loads, self._nodes, strict=True):
                at = time.thread_time()
                messages = list(load.window(index))
                load_s += time.thread_time() - at
                for message in messages:
                    node.report(message)
        for node in self._nodes:
            node.close(60.0)
        watching.join(60.0)
        cpu_s = sum(process.cpu_times()[:2]) - before
        sums = [np.sum([load.sums[k] for load in self._loads], axis=0) for k in range(KINDS)]
        return Held(sums, delays, cpu_s - load_s, load_s)

    def _watch(self, windows: int, due: Sequence[float], delays: list[float]) -> None:
        while len(delays) < windows:
            durable = min(node.acknowledged().durable.get(1, 0) for node in self._nodes)
            now = time.monotonic()
            delays.extend(now - at for at in due[len(delays) : durable])
            time.sleep(0.05)


class Root:
    """The reporter of a run as a Ray actor, and what its process uses.

    Args:
        directory: Directory of the run.
        ranks: Number of ranks.
    """

    def __init__(self, directory: Path, ranks: int) -> None:
        sinks: list[Sink] = [
            WindowLines(directory),
            TensorBoard(directory, ("loss", "learning_rate")),
        ]
        reporter = Reporter(directory, [BackgroundSink(sink) for sink in sinks], STEPS, 10.0)
        self.link = start_reporter(str(directory), reporter)
        number = self.link.begin_attempt("benchmark", ranks, 0, metrics())
        layout = RankLoad(1, range(0), 0).layout
        self.attempt = Attempt(number, "benchmark", ranks, 0, layout)
        self._process = psutil.Process(self.link.process_id())

    def cpu_s(self) -> float:
        """Returns the CPU seconds so far."""
        return float(sum(self._process.cpu_times()[:2]))

    def memory(self) -> int:
        """Returns the resident bytes."""
        return int(self._process.memory_info().rss)


def flat(root: Root, ranks: int, seconds: float) -> Taken:
    """Has all ranks report to the reporter of the run, as fast as it takes windows."""
    load = RankLoad(root.attempt.number, range(ranks), 0)
    before, began, made = root.cpu_s(), time.monotonic(), 0
    answers: list[Future[Ack]] = []
    while time.monotonic() - began < seconds:
        for message in load.window(made):
            answers.append(root.link.report(message))
            if len(answers) >= _IN_FLIGHT:
                answers.pop(0).result()
        made += 1
    for answer in answers:
        answer.result()
    return Taken(made, time.monotonic() - began, root.cpu_s() - before)


def tree(root: Root, ranks: int, seconds: float) -> Taken:
    """Has ranks report to reporters of nodes, and those to the reporter of the run."""
    nodes = start_nodes(root, ranks)
    # A number that takes some seconds on any machine.
    windows = max(2, int(seconds * 10_000 / ranks))
    before, began = root.cpu_s(), time.monotonic()
    held: list[Held] = ray.get([node.report.remote(windows, 0.0) for node in nodes])
    taken = time.monotonic() - began
    return Taken(windows, taken, root.cpu_s() - before, sum(h.node_cpu_s for h in held))


def start_nodes(root: Root, ranks: int) -> list[Any]:
    """Starts processes that stand for all ranks, and returns them once their windows are made."""
    share = -(-ranks // PROCESSES // RANKS_A_NODE) * RANKS_A_NODE
    actor: Any = ray.remote(num_cpus=0)(Nodes)
    parts = [range(s, min(s + share, ranks)) for s in range(0, ranks, share)]
    nodes = [actor.remote(root.link.actor, root.attempt, part) for part in parts]
    ray.get([node.ready.remote() for node in nodes])
    return nodes


class _Idle:
    def take(self, message: bytes) -> None:
        """Does nothing with a message."""


def idle_calls(seconds: float) -> float:
    """Returns the calls per second of an idle actor, with 4 kB messages and as many in flight."""
    idle: Any = ray.remote(num_cpus=0)(_Idle)
    actor, message = idle.remote(), bytes(4096)
    ray.get(actor.take.remote(message))
    began, made = time.monotonic(), 0
    answers: deque[Any] = deque()
    while time.monotonic() - began < seconds:
        answers.append(actor.take.remote(message))
        made += 1
        if len(answers) >= _IN_FLIGHT:
            ray.get(answers.popleft())
    ray.get(list(answers))
    ray.kill(actor)
    return made / (time.monotonic() - began)
