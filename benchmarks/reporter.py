"""How many ranks can one reporter take: windows a second, and CPU, from 8 to 10,000 ranks.

The reporter of the run is a Ray actor with its sinks and its journal, as in a run. Processes
simulate many ranks each (`rank_load`). Flat, the ranks report to it as fast as it takes windows; in
a tree, reporters of 100 ranks each merge them first. Last, 10,000 ranks report one window a second
for five minutes. Then the journal must have, window by window, exactly the sums of what was
generated, and the numbers must be those of a flat merge.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import ray

from benchmarks.contenders.reporters import (
    RANKS_A_NODE,
    Held,
    Root,
    Taken,
    flat,
    idle_calls,
    start_nodes,
    tree,
)
from benchmarks.harness import Case, Ratio, Result, Target
from benchmarks.inputs.rank_load import KINDS, STEPS, RankLoad, metrics
from raymon.reporter import Reporter
from raymon.reporter.store.object_journal import read_journal
from raymon.training.on_ray.cluster import connect
from raymon.wire.counts import add_counts, decode_counts

ROUNDS = 2
WINDOWS = "windows of ranks"
CORES = 1.0
GROWTH = 1.05


@dataclass(frozen=True)
class Scale:
    """The amount of what is measured.

    Attributes:
        ranks: Number of ranks that report one window a second, for `seconds`.
        seconds: Seconds that they do so.
        flat: Numbers of ranks without a tree.
        tree: Numbers of ranks in a tree.
        short_s: Approximate seconds of each of the short measurements.
        checked: Number of windows that are also merged flat, which takes half a second each.
    """

    ranks: int = 10_000
    seconds: int = 300
    flat: Sequence[int] = (8, 64, 512)
    tree: Sequence[int] = (512, 10_000)
    short_s: float = 5.0
    checked: int = 60


QUICK = Scale(200, 5, (8,), (200,), 0.5, 3)


def run(rounds: int, quick: bool) -> Result:
    """Measures everything; `rounds` times for the short measurements."""
    connect(None)
    scale = QUICK if quick else Scale()
    bare = [idle_calls(scale.short_s / 2) for _ in range(rounds)]
    cases = [Case("calls of an actor that does nothing", "a second", bare, "Ray alone")]
    for ranks in scale.flat:
        cases += _throughput("flat", ranks, scale.short_s, rounds, flat)
    for ranks in scale.tree:
        cases += _throughput("tree", ranks, scale.short_s, min(rounds, 2), tree)
    held, limits = _hold(scale)
    windows = [case for case in cases if case.contender == WINDOWS]
    ratios = [
        Ratio.share(f"windows of ranks: {case.asked}, over calls of an idle actor", case, cases[0])
        for case in windows
    ]
    return Result("reporter", [*cases, *held], ratios, limits)


def _throughput(
    question: str,
    ranks: int,
    seconds: float,
    rounds: int,
    measure: Callable[[Root, int, float], Taken],
) -> list[Case]:
    windows, cpu = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as directory:
            root = Root(Path(directory), ranks)
            taken = measure(root, ranks, seconds)
            merged = taken.windows * ranks
            windows.append(merged / taken.seconds)
            cpu.append(1e6 * taken.cpu_s / merged)
            root.link.stop()
    return [
        Case(WINDOWS, "a second", windows, question, ranks, "ranks"),
        Case(
            "CPU of the reporter of the run", "us a window of a rank", cpu, question, ranks, "ranks"
        ),
    ]


def _hold(scale: Scale) -> tuple[list[Case], list[Target]]:
    """Measures all ranks at one window a second, for five minutes."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        root = Root(directory, scale.ranks)
        nodes = start_nodes(root, scale.ranks)
        before, began = root.cpu_s(), time.monotonic()
        memory: list[int] = []
        results = [node.report.remote(scale.seconds, 1.0) for node in nodes]
        while ray.wait(results, num_returns=len(results), timeout=scale.seconds / 30)[1]:
            memory.append(root.memory())
            # Polled as by a driver, so that the reporter does not end.
            root.link.published(timeout_s=60.0)
        seconds, cpu_s = time.monotonic() - began, root.cpu_s() - before
        held: list[Held] = ray.get(results)
        root.link.close()
        equal = _equal_sums(directory, held, scale.ranks)
        same = _same_numbers(directory, scale)
        root.link.stop()
    question = f"{scale.ranks:,} ranks, a window a second, {scale.seconds} s"
    most_s = scale.seconds + 10
    delays = [max(of_window) for of_window in zip(*(h.delays_s for h in held), strict=True)]
    cores = cpu_s / seconds
    growth = statistics.fmean(memory[-3:]) / statistics.fmean(memory[len(memory) // 3 :][:3])
    cases = [
        Case("reporter of the run", "cores", [cores], question),
        Case("reporters of nodes", "cores", [sum(h.node_cpu_s for h in held) / seconds], question),
        Case("making the windows", "cores", [sum(h.load_cpu_s for h in held) / seconds], question),
        Case("durable after", "s", delays, question),
        Case("memory of the reporter of the run", "MiB", [m / 2**20 for m in memory], question),
    ]
    return cases, [
        Target("cores of the reporter of the run", cores, CORES, cores <= CORES),
        Target(f"seconds for {scale.seconds} windows", seconds, most_s, seconds <= most_s),
        Target(
            "windows whose sums equal the generator's",
            equal,
            scale.seconds,
            equal == scale.seconds,
        ),
        Target(
            "snapshots equal to those of a flat merge", same, scale.checked, same == scale.checked
        ),
        Target("memory at the end over that after a third", growth, GROWTH, growth <= GROWTH),
    ]


def _equal_sums(directory: Path, held: Sequence[Held], ranks: int) -> int:
    """Returns how many windows of the journal have exactly what was generated, of all ranks."""
    expected = [sum(h.sums[kind] for h in held) for kind in range(KINDS)]
    layout, equal = RankLoad(1, range(0), 0).layout, 0
    for record in read_journal(directory / "monitor" / "journal-0.pb"):
        if record.HasField("window"):
            counts = layout.empty()
            add_counts(decode_counts(record.window.counts, layout.size), counts)
            whole = len(record.window.ranks) == ranks
            equal += whole and np.array_equal(counts, expected[record.window.index % KINDS])
    return equal


def _same_numbers(directory: Path, scale: Scale) -> int:
    """Returns how many of the first lines have bit for bit the metrics of a flat merge."""
    flat = Reporter(None, [], STEPS, 10.0)
    flat.begin_attempt("flat", scale.ranks, 0, metrics())
    starts = range(0, scale.ranks, RANKS_A_NODE)
    loads = [RankLoad(1, range(s, min(s + RANKS_A_NODE, scale.ranks)), s) for s in starts]
    same = 0
    lines = (directory / "monitor" / "windows.jsonl").read_text().splitlines()
    for index, line in enumerate(lines[: scale.checked]):
        for message in _messages(loads, index):
            flat.report(message)
        snapshot = flat.snapshot()
        assert snapshot is not None
        same += json.loads(line)["metrics"] == snapshot.metrics
    return same


def _messages(loads: Sequence[RankLoad], index: int) -> Iterator[bytes]:
    for load in loads:
        yield from load.window(index)
