"""How does watching scale: 1 and 2 workers, and a model of the parts up to 10,000 ranks.

Measured are samples a second of 1 and 2 workers with and without monitoring, the share of the
training time that monitoring takes, what windows cost the reporters of nodes and of the run, and
what torchmetrics takes to update and to synchronise an AUC. From these parts the model computes
what a cluster of any number of ranks takes, with one window of each rank a second. Its assumptions
are in the result, and so is the measured cost of the largest cluster.
"""

from __future__ import annotations

import itertools
import json
import math
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contenders.reporters import RANKS_A_NODE, Root, Taken, flat, tree
from benchmarks.contenders.synced_auc import synced_auc
from benchmarks.harness import Case, Ratio, Result, Target, in_turns
from benchmarks.inputs.criteo_like import generate
from raymon.training.on_ray.cluster import connect

ROUNDS = 3
RANKS = (1, 2, 8, 64, 512, 1_000, 4_000, 10_000)
CORES, MOST = 1.0, 10_000
STEPS_A_WINDOW = 100
SHARE, REPORTER = "share of the training time", "cores of the reporter of the run"
RAYMON, UNWATCHED = "raymon", "the same loop, unwatched"
SYNCED = "torchmetrics AUROC, 200 thresholds, synchronised"
ASSUMPTIONS = (
    f"Every rank has a window a second, of {STEPS_A_WINDOW} steps of 4,096 rows, and a histogram "
    "in which 1,000 bins or more are not empty.",
    f"A node has {RANKS_A_NODE} ranks, and in a tree one reporter.",
    "The reporter of the run takes a fixed time for each window of the cluster, and as much again "
    "for each message in it: lines through two measured points each.",
    "Nodes are simulated on this machine, so the network between them costs nothing.",
    "What monitoring takes of the training thread does not depend on the number of ranks, as it "
    "makes no collective and waits for nothing: the share that was measured here is that of all.",
    "A window without metrics takes a second. torchmetrics updates in each step, and synchronises "
    "in as many rounds as a tree of all ranks is deep, each of which takes what it took between 2 "
    "processes of this machine, without a network.",
)


@dataclass(frozen=True)
class Scale:
    """The amount of what is measured.

    Attributes:
        flat: Two numbers of ranks without a tree, by which the cost of a window and that of a rank
            in it are separated.
        tree: Two numbers of ranks in a tree.
        checked: Number of ranks in a tree for which the model is compared with a measurement.
        seconds: Approximate seconds of each of these measurements.
        windows: Number of windows of torchmetrics.
        rows: Number of rows of a run.
        workers: Numbers of workers of runs.
    """

    flat: tuple[int, int] = (8, 512)
    tree: tuple[int, int] = (200, 2_000)
    checked: int = MOST
    seconds: float = 5.0
    windows: int = 30
    rows: int = 600_000
    workers: Sequence[int] = (1, 2)


QUICK = Scale((8, 64), (100, 200), 300, 0.5, 5, 20_000, (0,))
"""The quick form, whose run is in this process."""


@dataclass(frozen=True)
class Model:
    """CPU seconds of the reporter of the run for a window of the cluster.

    Attributes:
        window: Seconds whatever the number of ranks: for metrics, journal, sinks.
        rank: Additional seconds for each rank, without a tree.
        node: Additional seconds for each node, in a tree.
    """

    window: float
    rank: float
    node: float

    @classmethod
    def of(cls, flat: Sequence[tuple[int, float]], tree: Sequence[tuple[int, float]]) -> Model:
        """Returns the model whose lines go through two measured points each.

        Args:
            flat: Numbers of ranks, and CPU seconds of a window.
            tree: Numbers of nodes, and CPU seconds of a window.
        """
        window, rank = _line(flat)
        return cls(window, rank, _line(tree)[1])

    def cores(self, ranks: int) -> float:
        """Returns the cores at one window a second, without a tree."""
        return self.window + ranks * self.rank

    def cores_in_tree(self, ranks: int) -> float:
        """Returns the cores at one window a second, with a reporter on each node."""
        return self.window + nodes(ranks) * self.node


def nodes(ranks: int) -> int:
    """Returns the number of nodes of that many ranks."""
    return math.ceil(ranks / RANKS_A_NODE)


def sync_depth(ranks: int) -> int:
    """Returns the rounds of an exchange among all ranks, if each doubles what a rank knows."""
    return math.ceil(math.log2(ranks))


def run(rounds: int, quick: bool) -> Result:
    """Measures the parts, and computes the model for all numbers of ranks."""
    scale = QUICK if quick else Scale()
    connect(None)
    speeds, shares = _speeds(scale.rows, scale.workers, min(rounds, 2))
    model = Model.of(
        [(ranks, _cpu_s(flat, ranks, scale.seconds, rounds)) for ranks in scale.flat],
        [(nodes(ranks), _cpu_s(tree, ranks, scale.seconds, rounds)) for ranks in scale.tree],
    )
    checked = _cpu_s(tree, scale.checked, scale.seconds, 1)
    update_s, sync_s = map(
        statistics.median, zip(*(synced_auc(2, scale.windows) for _ in range(rounds)), strict=True)
    )
    ours, peers = _shares(statistics.median(shares), update_s, sync_s)
    modelled = model.cores_in_tree(scale.checked)
    return Result(
        "scaling",
        [*speeds, *_parts(model, update_s, sync_s), *ours, *peers, *_cores(model)],
        [
            *(
                Ratio.share(f"{case.asked}: samples/s over those unwatched", case, bare)
                for case, bare in zip(speeds[::2], speeds[1::2], strict=True)
            ),
            Ratio.share(f"{SHARE}, {MOST:,} ranks", ours[-1], peers[-1], at_least=False),
            Ratio(
                f"{REPORTER} for {scale.checked:,} ranks: model over measured",
                [modelled / checked],
                f"{modelled:.3g} cores",
                f"measured: {checked:.3g} cores",
            ),
        ],
        [_limit(model)],
        ASSUMPTIONS,
    )


def _speeds(rows: int, workers: Sequence[int], rounds: int) -> tuple[list[Case], list[float]]:
    """Measures whole runs with and without monitoring.

    Returns:
        Samples per second of each number of workers, and the shares of the training time that
        monitoring took.
    """
    # Imported here: Ray reads its environment at import, and `connect` sets it before.
    from benchmarks.contenders.unwatched import unwatched
    from benchmarks.contenders.watched import watched

    contenders = {
        (n, name): run for n in workers for name, run in ((RAYMON, watched), (UNWATCHED, unwatched))
    }
    with tempfile.TemporaryDirectory() as temporary:
        directory, number = Path(temporary), itertools.count()
        data = directory / "data"
        data.mkdir()
        generate(data, rows, rows // 2)
        measures = {
            f"{n} {name}": lambda n=n, run=run: run(data, directory / f"run-{next(number)}", n)
            for (n, name), run in contenders.items()
        }
        found = in_turns(measures, rounds)
        summaries = [json.loads(path.read_text()) for path in directory.glob("run-*/run.json")]
    cases = [
        Case(name, "samples/s", [r.per_second for r in found[f"{n} {name}"]], "a run", n, "workers")
        for n, name in contenders
    ]
    return cases, [summary["monitoring"]["share"] for summary in summaries]


def _shares(ours: float, update_s: float, sync_s: float) -> tuple[list[Case], list[Case]]:
    """Returns the shares of the training time of raymon and of torchmetrics, by number of ranks."""
    peers = [
        (STEPS_A_WINDOW * update_s + sync_depth(ranks) * sync_s) / (1 + STEPS_A_WINDOW * update_s)
        for ranks in RANKS
    ]
    return (
        [Case(RAYMON, "of the time", [ours], SHARE, ranks, "ranks") for ranks in RANKS],
        [
            Case(SYNCED, "of the time", [share], SHARE, ranks, "ranks")
            for ranks, share in zip(RANKS, peers, strict=True)
        ],
    )


def _line(points: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Returns the height at 0 and the slope of a line through two points."""
    (few, low), (many, high) = points
    slope = max((high - low) / (many - few), 0.0)
    return max(low - few * slope, 0.0), slope


def _cpu_s(
    measure: Callable[[Root, int, float], Taken], ranks: int, seconds: float, rounds: int
) -> float:
    """Returns the CPU seconds of the reporter of the run for a window of all ranks."""
    taken = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as directory:
            root = Root(Path(directory), ranks)
            measured = measure(root, ranks, seconds)
            taken.append(measured.cpu_s / measured.windows)
            root.link.stop()
    return statistics.median(taken)


def _parts(model: Model, update_s: float, sync_s: float) -> Iterator[Case]:
    parts = {
        "reporter of the run, a window of the cluster": model.window,
        "reporter of the run, for each rank in it": model.rank,
        "reporter of the run, for each node in it": model.node,
        "torchmetrics, an update of 4,096 rows": update_s,
        "torchmetrics, a window that 2 ranks synchronise": sync_s,
    }
    for name, seconds in parts.items():
        yield Case(name, "us", [1e6 * seconds], "parts")


def _cores(model: Model) -> Iterator[Case]:
    for ranks in RANKS:
        yield Case("raymon", "cores", [model.cores(ranks)], REPORTER, ranks, "ranks")
        cores = model.cores_in_tree(ranks)
        yield Case("raymon, reporters on nodes", "cores", [cores], REPORTER, ranks, "ranks")


def _limit(model: Model) -> Target:
    cores = model.cores_in_tree(MOST)
    return Target(f"{REPORTER} for {MOST:,} ranks", cores, CORES, cores <= CORES)
