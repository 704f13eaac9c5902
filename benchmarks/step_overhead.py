"""What does watching add to a training step: raymon, torchmetrics, Lightning, Ray's report.

One model, one batch of 4,096 rows a step, on one thread. Every contender shows the loss, the
learning rate and the AUC of training in TensorBoard every 100 steps. The contenders take turns in
every round, and the time of a bare step, just before and just after, is subtracted from theirs.
`raymon.Monitor` is the public monitor of a loop of one's own, with all that it writes.
Lightning logs by `self.log` into its `TensorBoardLogger`, with a loader that costs nothing;
torchmetrics updates a metric at each step, and computes it at the end of a window.
Each library with raymon's callback takes turns with itself without it, in the same way.
`ray.train.report` is called without a checkpoint, with Ray's default settings, for its time alone.
"""

from __future__ import annotations

import logging
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from tensorboardX import SummaryWriter
from torch import Tensor
from torchmetrics.classification import BinaryAUROC

from benchmarks.contenders.clicks import Clicks, Times, bare, timed
from benchmarks.contenders.library_steps import LIBRARIES
from benchmarks.contenders.lightning_steps import lightning_steps
from benchmarks.contenders.monitored_steps import MONITOR, monitored_steps
from benchmarks.contenders.ray_defaults import ray_defaults
from benchmarks.contenders.watched_steps import CHANNELS, WINDOW, watched_steps
from benchmarks.harness import Case, Ratio, Result, Target
from benchmarks.harness.memory import keep_memory

STEPS, QUICK_STEPS = 300, 100
ROUNDS = 14
TARGET, NOISE = 0.02, 0.03
"""Share of a step, and how far it may be off on a busy machine."""

CALLBACK_TARGET = 0.05
"""Share of a step of the library, whose hooks cost more than a loop of one's own."""

WINDOW_END_MS = 0.1


def run(rounds: int, quick: bool) -> Result:
    """Runs all contenders in turns."""
    _quiet()
    keep_memory()
    torch.set_num_threads(1)
    steps = QUICK_STEPS if quick else STEPS
    window_ends: dict[str, Times] = {name: [] for name in CHANNELS}
    contenders: dict[str, Callable[[Path], Times]] = {
        **{name: partial(watched_steps, name, window_ends[name], steps) for name in CHANNELS},
        MONITOR: partial(monitored_steps, steps),
        "torchmetrics AUROC, 200 thresholds": partial(_torchmetrics, steps),
        "Lightning": partial(lightning_steps, steps, False),
        "Lightning with torchmetrics AUROC": partial(lightning_steps, steps, True),
    }
    added: dict[str, list[float]] = {name: [] for name in contenders}
    alone: list[float] = []
    reports: Times = []
    with tempfile.TemporaryDirectory() as directory:
        for i in range(rounds):
            # Each between two bare loops, for which the state of the machine is the same.
            before = _mean(bare(steps))
            for name in list(contenders) if i % 2 == 0 else reversed(contenders):
                times = contenders[name](Path(directory) / f"{i}-{name.replace(' ', '-')}")
                after = _mean(bare(steps))
                added[name].append(1e3 * (_mean(times) - (before + after) / 2))
                alone.append(1e3 * after)
                before = after
        callbacks = _callbacks(Path(directory), steps, rounds)
        reports = _ray_reports(Path(directory), 2 if quick else 5)
    bare_step = Case("bare loop", "ms a step", alone, "a step without any of it")
    adds = [Case(name, "ms", figures, "added to a step") for name, figures in added.items()]
    report = Case("ray.train.report", "ms", [1e3 * t for t in reports], "at the end of a window")
    ends = [
        Case(name, "ms", [1e3 * t for t in times], "at the end of a window")
        for name, times in window_ends.items()
    ]
    return Result(
        "step_overhead",
        [bare_step, *adds, *ends, report, *(case for pair in callbacks for case in pair)],
        [
            *_ratios(bare_step, adds, ends[0], report),
            *(_callback_ratio(library, watched) for library, watched in callbacks),
        ],
        [
            Target(
                f"{end.contender}: ms at the end of a window",
                end.median,
                WINDOW_END_MS,
                end.median <= WINDOW_END_MS,
            )
            for end in ends
        ],
    )


def _ratios(bare_step: Case, adds: Sequence[Case], end: Case, report: Case) -> Iterator[Ratio]:
    for case in adds:
        if case.contender in CHANNELS or case.contender == MONITOR:
            yield Ratio(
                f"{case.contender}: added to a step, of the step",
                [figure / bare_step.median for figure in case.figures],
                f"{case.median:.3g} ms",
                f"a bare step: {bare_step.median:.3g} ms",
                at_least=False,
                target=TARGET,
                slack=NOISE,
            )
        else:
            yield Ratio.share(
                f"added to a step, of what {case.contender} adds",
                adds[0],
                case,
                at_least=False,
                slack=NOISE,
            )
    # The rounds of the two do not correspond, so the ratio is that of the medians.
    times = Ratio.faster("end of a window: times less than ray.train.report", end, report)
    yield replace(times, figures=[report.median / end.median])


def _callbacks(directory: Path, steps: int, rounds: int) -> list[tuple[Case, Case]]:
    """Returns, for each library, its step and what the callback adds to it."""
    found = []
    for name, library in LIBRARIES.items():
        alone: list[float] = []
        added: list[float] = []
        before = _mean(library(steps, None))
        for i in range(rounds):
            watched = _mean(library(steps, directory / f"{name}-{i}"))
            after = _mean(library(steps, None))
            added.append(1e3 * (watched - (before + after) / 2))
            alone.append(1e3 * after)
            before = after
        step = Case(f"{name}, bare", "ms a step", alone, "a step without raymon")
        found.append((step, Case(f"{name}, callback", "ms", added, "added to a step")))
    return found


def _callback_ratio(library: Case, added: Case) -> Ratio:
    return Ratio(
        f"{added.contender}: added to a step, of the step",
        [figure / library.median for figure in added.figures],
        f"{added.median:.3g} ms",
        f"a bare step: {library.median:.3g} ms",
        at_least=False,
        target=CALLBACK_TARGET,
        slack=NOISE,
    )


def _mean(times: Times) -> float:
    # The mean of the middle nine tenths: on a shared machine the rest is the work of others.
    ordered = sorted(times)
    cut = len(ordered) // 20
    return statistics.fmean(ordered[cut : len(ordered) - cut])


def _torchmetrics(steps: int, directory: Path) -> Times:
    model, auc = Clicks(), BinaryAUROC(thresholds=200)
    writer, count = SummaryWriter(str(directory)), 0

    def step(rows: Tensor, clicks: Tensor) -> None:
        nonlocal count
        loss, predictions = model.step(rows, clicks)
        auc.update(predictions, clicks.long())
        count += 1
        if count % WINDOW == 0:
            writer.add_scalar("loss/total", loss.item(), count)
            writer.add_scalar("lr/g0", 1e-3, count)
            writer.add_scalar("metric/auc", auc.compute().item(), count)
            auc.reset()

    times = timed(steps, step)
    writer.close()
    return times


def _ray_reports(directory: Path, reports: int) -> Times:
    """Returns the seconds that each report holds up a worker of Ray Train."""
    import ray.train
    from ray.train import RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    from raymon.training.on_ray.cluster import connect

    out = directory / "reports"

    def loop() -> None:
        times = []
        for _ in range(reports):
            began = time.perf_counter()
            ray.train.report({"loss": 0.5, "auc": 0.7})
            times.append(time.perf_counter() - began)
        out.write_text(" ".join(map(str, times)))

    connect(None)
    trainer = TorchTrainer(
        loop,
        scaling_config=ScalingConfig(num_workers=1),
        run_config=RunConfig(name="report", storage_path=str(directory)),
    )
    with ray_defaults():
        trainer.fit()
    return [float(word) for word in out.read_text().split()]


def _quiet() -> None:
    for name in ("lightning.pytorch", "lightning.fabric", "transformers", "raymon", "ray"):
        logging.getLogger(name).setLevel(logging.ERROR)
