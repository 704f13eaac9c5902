"""What does watching add to a training step: raymon, torchmetrics, Lightning, Ray's report.

One model, one batch of 4,096 rows a step, on one thread. Every contender shows the loss, the
learning rate and the AUC of the training in TensorBoard every 100 steps; rounds of all of them take
turns, and the time of a step without any of it, just before and just after, is taken away from
theirs. Lightning logs by `self.log` into its `TensorBoardLogger`, with a loader that costs nothing;
torchmetrics updates a metric at each step, and computes it at the end of a window.
`ray.train.report` is called without a checkpoint, with Ray's own settings, for its time alone.
"""

from __future__ import annotations

import ctypes
import logging
import statistics
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

import lightning
import torch
from tensorboardX import SummaryWriter
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torchmetrics.classification import BinaryAUROC

from benchmarks.contenders.ray_defaults import ray_defaults
from benchmarks.harness import Case, Ratio, Result, Target
from raymon.metrics import DecayAUC, TrainMetricWrapper
from raymon.monitor import Monitor, Sender
from raymon.reporter import InProcessReporter, Reporter
from raymon.sinks import BackgroundSink, TensorBoard

ROWS, FEATURES = 4_096, 64
STEPS, QUICK_STEPS, WINDOW = 300, 100, 100
ROUNDS = 8
TARGET, NOISE = 0.02, 0.03
"""Share of a step, and what that may be off by where the machine is busy."""

WINDOW_END_MS = 0.1

Times = list[float]
"""Seconds of each step."""


class Clicks(nn.Module):
    """An MLP, and batches that it can learn something from."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(
            nn.Linear(FEATURES, 96), nn.ReLU(), nn.Linear(96, 32), nn.ReLU(), nn.Linear(32, 1)
        )
        self.optimizer = torch.optim.Adam(self.parameters(), 1e-3)

    def forward(self, rows: Tensor) -> Tensor:
        """Logits `[B]` of rows `[B, FEATURES]`."""
        logits: Tensor = self.layers(rows).squeeze(1)
        return logits

    def step(self, rows: Tensor, clicks: Tensor) -> tuple[Tensor, Tensor]:
        """Trains on a batch; gives the loss and the predictions."""
        logits = self(rows)
        predictions = logits.detach().sigmoid()
        loss = binary_cross_entropy_with_logits(logits, clicks)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss, predictions


def batches(steps: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of rows and clicks; twenty different ones."""
    generator = torch.Generator().manual_seed(1)
    made = []
    for _ in range(20):
        rows = torch.randn(ROWS, FEATURES, generator=generator)
        rate = torch.sigmoid(rows[:, 0] - 3)
        made.append((rows, (torch.rand(ROWS, generator=generator) < rate).float()))
    for step in range(steps):
        yield made[step % len(made)]


def run(rounds: int, quick: bool) -> Result:
    """Runs all contenders in turns."""
    _quiet()
    _keep_memory()
    torch.set_num_threads(1)
    steps = QUICK_STEPS if quick else STEPS
    window_ends: dict[str, Times] = {name: [] for name in CHANNELS}
    contenders: dict[str, Callable[[Path], Times]] = {
        **{name: partial(_raymon, name, window_ends[name], steps) for name in CHANNELS},
        "torchmetrics AUROC, 200 thresholds": partial(_torchmetrics, steps),
        "Lightning": partial(_lightning, steps, False),
        "Lightning with torchmetrics AUROC": partial(_lightning, steps, True),
    }
    added: dict[str, list[float]] = {name: [] for name in contenders}
    bare: list[float] = []
    reports: Times = []
    with tempfile.TemporaryDirectory() as directory:
        for i in range(rounds):
            # Each between two bare loops, which share the mood of the machine with it.
            before = _mean(_bare(steps))
            for name in list(contenders) if i % 2 == 0 else reversed(contenders):
                times = contenders[name](Path(directory) / f"{i}-{name.replace(' ', '-')}")
                after = _mean(_bare(steps))
                added[name].append(1e3 * (_mean(times) - (before + after) / 2))
                bare.append(1e3 * after)
                before = after
        reports = _ray_reports(Path(directory), 2 if quick else 5)
    alone = Case("bare loop", "ms a step", bare, "a step without any of it")
    adds = [Case(name, "ms", figures, "added to a step") for name, figures in added.items()]
    report = Case("ray.train.report", "ms", [1e3 * t for t in reports], "at the end of a window")
    ends = [
        Case(name, "ms", [1e3 * t for t in times], "at the end of a window")
        for name, times in window_ends.items()
    ]
    return Result(
        "step_overhead",
        [alone, *adds, *ends, report],
        list(_ratios(alone, adds, ends[0], report)),
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


def _ratios(alone: Case, adds: Sequence[Case], end: Case, report: Case) -> Iterator[Ratio]:
    for case in adds:
        if case.contender in CHANNELS:
            yield Ratio(
                f"{case.contender}: added to a step, of the step",
                [figure / alone.median for figure in case.figures],
                f"{case.median:.3g} ms",
                f"a bare step: {alone.median:.3g} ms",
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
    yield Ratio.faster("end of a window: times less than ray.train.report", end, report)


def _mean(times: Times) -> float:
    # The middle nine tenths: on a shared machine the rest is other people's work.
    ordered = sorted(times)
    cut = len(ordered) // 20
    return statistics.fmean(ordered[cut : len(ordered) - cut])


def _timed(steps: int, step: Callable[[Tensor, Tensor], None]) -> Times:
    times = []
    for rows, clicks in batches(steps):
        began = time.perf_counter()
        step(rows, clicks)
        times.append(time.perf_counter() - began)
    return times


def _bare(steps: int) -> Times:
    model = Clicks()
    return _timed(steps, lambda rows, clicks: (model.step(rows, clicks), None)[1])


class _TimedMonitor(Monitor):
    """Notes how long the training thread is in each end of a window, in seconds."""

    window_ends: Times

    def cut(self, checkpoint: bool = False, last: bool = False) -> None:
        began = time.perf_counter()
        super().cut(checkpoint, last)
        self.window_ends.append(time.perf_counter() - began)


def _raymon(name: str, window_ends: Times, steps: int, directory: Path) -> Times:
    model, channel = Clicks(), CHANNELS[name]
    directory.mkdir()
    curves = BackgroundSink(TensorBoard(directory, ("loss", "learning_rate")))
    reporter = InProcessReporter(Reporter(directory, [curves], WINDOW, 10.0))
    auc = TrainMetricWrapper(DecayAUC())
    attempt = reporter.begin_attempt("a", 1, 0, {"auc": TrainMetricWrapper(DecayAUC())})
    sender = Sender(channel(reporter), lambda ack: None)
    monitor = _TimedMonitor(
        attempt=attempt,
        rank=0,
        metrics={"auc": auc},
        update_train_metric=auc.update,
        log_step_count_steps=WINDOW,
        sender=sender,
        device=torch.device("cpu"),
    )
    monitor.window_ends = window_ends

    def step(rows: Tensor, clicks: Tensor) -> None:
        loss, predictions = model.step(rows, clicks)
        monitor.step(
            {"binary_cross_entropy": loss},
            predictions,
            clicks,
            samples=ROWS,
            weights=float(ROWS),
            learning_rates=(1e-3,),
        )

    times = _timed(steps, step)
    monitor.close(timeout_s=0.0 if channel in (_Hung, _Dead) else 5.0)
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

    times = _timed(steps, step)
    writer.close()
    return times


class _LightningClicks(lightning.LightningModule):
    def __init__(self, times: Times, auc: bool) -> None:
        super().__init__()
        self.model = Clicks()
        self.auc = BinaryAUROC(thresholds=200) if auc else None
        self._times = times
        self._last: float | None = None

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        now = time.perf_counter()
        if self._last is not None:
            self._times.append(now - self._last)
        self._last = now
        rows, clicks = batch
        logits = self.model(rows)
        predictions = logits.detach().sigmoid()
        loss = binary_cross_entropy_with_logits(logits, clicks)
        self.log("loss/total", loss)
        self.log("lr/g0", 1e-3)
        if self.auc is not None:
            self.auc.update(predictions, clicks.long())
            if (index + 1) % WINDOW == 0:
                self.log("metric/auc", self.auc.compute())
                self.auc.reset()
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), 1e-3)


def _lightning(steps: int, auc: bool, directory: Path) -> Times:
    from lightning.pytorch.loggers import TensorBoardLogger

    times: Times = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = lightning.Trainer(
            accelerator="cpu",
            max_steps=steps + 1,
            logger=TensorBoardLogger(str(directory)),
            log_every_n_steps=WINDOW,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(_LightningClicks(times, auc), _Loader(steps + 1))
    return times


class _Loader:
    def __init__(self, steps: int) -> None:
        self._steps = steps

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return batches(self._steps)


def _ray_reports(directory: Path, reports: int) -> Times:
    """Seconds that a worker of Ray Train stands still for each report."""
    import ray.train
    from ray.train import RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    from raymon.training.ray_cluster import connect

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


def _keep_memory() -> None:
    # Of glibc alone; other allocators keep memory by themselves. The numbers are those of malloc.h.
    trim_threshold, mmap_threshold = -1, -3
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(trim_threshold, 1 << 30)
        library.mallopt(mmap_threshold, 1 << 30)


def _quiet() -> None:
    for name in ("lightning.pytorch", "lightning.fabric", "raymon", "ray"):
        logging.getLogger(name).setLevel(logging.ERROR)
