"""How many ranks can one reporter take: windows a second, and CPU, from 8 to 10,000 ranks.

The reporter of the run is a Ray actor with its sinks and its journal, as in a run. Ranks are
simulated by processes that stand for many each (`rank_load`). Flat, they report to it as fast as it
takes; in a tree, reporters of 100 ranks each merge them first. Last, 10,000 ranks report a window a
second for five minutes. Then the journal must hold, window by window, exactly the sums of what was
generated, and the numbers must be those of a flat merge.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import ray
from numpy.typing import NDArray

from benchmarks.inputs.rank_load import KINDS, STEPS, RankLoad, metrics
from benchmarks.harness.result import Case, Result, Target
from raymon.monitor import Ack
from raymon.monitor.counts import add_counts, decode_counts
from raymon.reporter import Reporter
from raymon.reporter.collation import Attempt
from raymon.reporter.journal import read_journal
from raymon.reporter.node_reporter import NodeReporter
from raymon.reporter.ray_reporter import RayReporter, start_reporter
from raymon.sinks import BackgroundSink, TensorBoard, WindowLines
from raymon.training.ray_cluster import connect

RANKS, SECONDS = 10_000, 300
RANKS_A_NODE = 100
CHECKED = 60
"""Windows that are merged flat too, which takes half a second each."""

PROCESSES = 2
CORES = 1.0
GROWTH = 1.05
_SHORT_S = 10.0
_IN_FLIGHT = 64


@dataclass
class Held:
    """What one process of nodes found.

    Attributes:
        sums: By kind of window, the sum of what its ranks measured.
        late_s: By window, seconds from its due time until it was durable.
        node_cpu_s: Of the reporters of nodes.
        load_cpu_s: Of making the windows.
    """

    sums: list[NDArray[np.int64]]
    late_s: list[float]
    node_cpu_s: float
    load_cpu_s: float


@ray.remote(num_cpus=0)
class Nodes:
    """A process that stands for some nodes and their ranks.

    Args:
        root: Handle of the reporter of the run.
        attempt: Of the ranks.
        ranks: Which ranks are here, those of a node side by side.
    """

    def __init__(self, root: Any, attempt: Attempt, ranks: range) -> None:
        starts = range(ranks.start, ranks.stop, RANKS_A_NODE)
        groups = [range(s, min(s + RANKS_A_NODE, ranks.stop)) for s in starts]
        self._loads = [RankLoad(attempt.number, group, group.start) for group in groups]
        channel = RayReporter(root)
        self._nodes = [NodeReporter(attempt, len(group), channel, 10.0) for group in groups]

    def ready(self) -> None:
        """Returns when the windows are made."""

    def report(self, windows: int, interval_s: float) -> Held:
        """Reports windows of all ranks, one every `interval_s` seconds."""
        late: list[float] = []
        load_s = 0.0
        process = psutil.Process()
        before = sum(process.cpu_times()[:2])
        began = time.monotonic()
        due: list[float] = []
        watching = threading.Thread(target=self._watch, args=(windows, due, late), daemon=True)
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
        sums = [sum(load.sums[k] for load in self._loads) for k in range(KINDS)]
        return Held(sums, late, cpu_s - load_s, load_s)

    def _watch(self, windows: int, due: Sequence[float], late: list[float]) -> None:
        while len(late) < windows:
            durable = min(node.acknowledged().durable.get(1, 0) for node in self._nodes)
            now = time.monotonic()
            late.extend(now - at for at in due[len(late) : durable])
            time.sleep(0.05)


class Root:
    """The reporter of a run as a Ray actor, and what its process takes."""

    def __init__(self, directory: Path, ranks: int) -> None:
        sinks = [WindowLines(directory), TensorBoard(directory, ("loss", "learning_rate"))]
        reporter = Reporter(directory, [BackgroundSink(sink) for sink in sinks], STEPS, 10.0)
        self.link = start_reporter(str(directory), reporter)
        number = self.link.begin_attempt("benchmark", ranks, 0, metrics())
        layout = RankLoad(1, range(0), 0).layout
        self.attempt = Attempt(number, "benchmark", ranks, 0, layout)
        self._process = psutil.Process(self.link.process_id())

    def cpu_s(self) -> float:
        """Seconds of CPU so far."""
        return float(sum(self._process.cpu_times()[:2]))

    def memory(self) -> int:
        """Resident bytes."""
        return int(self._process.memory_info().rss)


def run(rounds: int) -> Result:
    """Asks all questions; `rounds` of the short ones."""
    connect(None)
    cases: list[Case] = []
    for ranks in (8, 64, 512):
        cases += _throughput(f"flat, {ranks:,} ranks", ranks, rounds, _flat)
    for ranks in (512, RANKS):
        cases += _throughput(f"tree, {ranks:,} ranks", ranks, min(rounds, 2), _tree)
    held, targets = _hold()
    return Result("reporter", [*cases, *held], targets)


def _throughput(question: str, ranks: int, rounds: int, measure: Any) -> list[Case]:
    windows, cpu = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as directory:
            root = Root(Path(directory), ranks)
            made, seconds, cpu_s = measure(root, ranks)
            windows.append(made * ranks / seconds)
            cpu.append(1e6 * cpu_s / (made * ranks))
            root.link.stop()
    return [
        Case("windows of ranks", "a second", windows, question),
        Case("CPU of the reporter of the run", "us a window of a rank", cpu, question),
    ]


def _flat(root: Root, ranks: int) -> tuple[int, float, float]:
    load = RankLoad(root.attempt.number, range(ranks), 0)
    before, began, made = root.cpu_s(), time.monotonic(), 0
    answers: list[Future[Ack]] = []
    while time.monotonic() - began < _SHORT_S / 2:
        for message in load.window(made):
            answers.append(root.link.report(message))
            if len(answers) >= _IN_FLIGHT:
                answers.pop(0).result()
        made += 1
    for answer in answers:
        answer.result()
    return made, time.monotonic() - began, root.cpu_s() - before


def _tree(root: Root, ranks: int) -> tuple[int, float, float]:
    nodes = _start_nodes(root, ranks)
    # As many as take some seconds, whatever the machine.
    windows = max(2, int(_SHORT_S * 10_000 / ranks / 2))
    before, began = root.cpu_s(), time.monotonic()
    ray.get([node.report.remote(windows, 0.0) for node in nodes])
    return windows, time.monotonic() - began, root.cpu_s() - before


def _start_nodes(root: Root, ranks: int) -> list[Any]:
    share = -(-ranks // PROCESSES // RANKS_A_NODE) * RANKS_A_NODE
    parts = [range(s, min(s + share, ranks)) for s in range(0, ranks, share)]
    nodes = [Nodes.remote(root.link.actor, root.attempt, part) for part in parts]
    ray.get([node.ready.remote() for node in nodes])
    return nodes


def _hold() -> tuple[list[Case], list[Target]]:
    """10,000 ranks, a window a second, for five minutes."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        root = Root(directory, RANKS)
        nodes = _start_nodes(root, RANKS)
        before, began = root.cpu_s(), time.monotonic()
        memory: list[int] = []
        results = [node.report.remote(SECONDS, 1.0) for node in nodes]
        while ray.wait(results, num_returns=len(results), timeout=10.0)[1]:
            memory.append(root.memory())
            # As a driver does, so that the reporter knows that somebody is there.
            root.link.published(timeout_s=60.0)
        seconds, cpu_s = time.monotonic() - began, root.cpu_s() - before
        held: list[Held] = ray.get(results)
        root.link.close()
        equal = _equal_sums(directory, held)
        same = _same_numbers(directory)
        root.link.stop()
    question = f"{RANKS:,} ranks, a window a second, {SECONDS} s"
    late = [max(of_window) for of_window in zip(*(h.late_s for h in held), strict=True)]
    cores = cpu_s / seconds
    growth = statistics.fmean(memory[-3:]) / statistics.fmean(memory[len(memory) // 3 :][:3])
    cases = [
        Case("reporter of the run", "cores", [cores], question),
        Case("reporters of nodes", "cores", [sum(h.node_cpu_s for h in held) / seconds], question),
        Case("making the windows", "cores", [sum(h.load_cpu_s for h in held) / seconds], question),
        Case("durable after", "s", late, question),
        Case("memory of the reporter of the run", "MiB", [m / 2**20 for m in memory], question),
    ]
    return cases, [
        Target("cores of the reporter of the run", cores, CORES, cores <= CORES),
        Target("seconds for 300 windows", seconds, SECONDS + 10, seconds <= SECONDS + 10),
        Target("windows whose sums equal the generator's", equal, SECONDS, equal == SECONDS),
        Target("snapshots equal to those of a flat merge", same, CHECKED, same == CHECKED),
        Target("memory at the end over that after 100 s", growth, GROWTH, growth <= GROWTH),
    ]


def _equal_sums(directory: Path, held: Sequence[Held]) -> int:
    """How many windows of the journal hold exactly what was generated, of all ranks."""
    expected = [sum(h.sums[kind] for h in held) for kind in range(KINDS)]
    layout, equal = RankLoad(1, range(0), 0).layout, 0
    for record in read_journal(directory / "monitor" / "journal-0.pb"):
        if record.HasField("window"):
            counts = layout.empty()
            add_counts(decode_counts(record.window.counts, layout.size), counts)
            whole = len(record.window.ranks) == RANKS
            equal += whole and np.array_equal(counts, expected[record.window.index % KINDS])
    return equal


def _same_numbers(directory: Path) -> int:
    """How many of the first lines have, bit for bit, the metrics of a reporter without a tree."""
    flat = Reporter(None, [], STEPS, 10.0)
    flat.begin_attempt("flat", RANKS, 0, metrics())
    starts = range(0, RANKS, RANKS_A_NODE)
    loads = [RankLoad(1, range(s, s + RANKS_A_NODE), s) for s in starts]
    same = 0
    lines = (directory / "monitor" / "windows.jsonl").read_text().splitlines()
    for index, line in enumerate(lines[:CHECKED]):
        for message in _messages(loads, index):
            flat.report(message)
        snapshot = flat.snapshot()
        assert snapshot is not None
        same += json.loads(line)["metrics"] == snapshot.metrics
    return same


def _messages(loads: Sequence[RankLoad], index: int) -> Iterator[bytes]:
    for load in loads:
        yield from load.window(index)
