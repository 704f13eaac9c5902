"""The public monitor of a custom training loop."""

from __future__ import annotations

import atexit
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from numbers import Integral
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import torch
from torch import Tensor

from raymon.errors import UserError
from raymon.monitor.columns import Columns
from raymon.monitor.find_run import find_run, in_ray_train
from raymon.monitor.rank import MonitoredRank
from raymon.monitor.run import MonitoredRun, RunSettings
from raymon.monitor.run_files import RunFiles, how_it_ended, what_ends
from raymon.monitor.step_arguments import Losses, learning_rates_of
from raymon.monitor.train_metrics import TrainMetrics, build_by_prediction
from raymon.protos.monitor_pb2 import MonitorConfig
from raymon.reporter import Attempts, Progress
from raymon.results import (
    BACKWARD,
    CHECKPOINT,
    DATA,
    EVALUATION,
    FORWARD,
    MOVE,
    OPTIMIZER,
    PEERS,
    Monitoring,
    RunEnded,
    Snapshot,
)
from raymon.sinks import Console, Sink, make_alert_hooks, open_output
from raymon.storage import ObjectPath, storage_path

T = TypeVar("T")

_log = logging.getLogger("raymon")

_PHASES = (DATA, MOVE, FORWARD, BACKWARD, PEERS, OPTIMIZER, EVALUATION, CHECKPOINT)
"""Phases that a loop can tell apart."""

_CLOSE_S = 30.0
"""Seconds to send what is left."""

_LEAVE_S = 2.0
"""Seconds to send what is left after an exception ended the loop."""


class Monitor:
    """Measures a training loop, and shows the numbers of all its workers while it runs.

    In a worker of Ray Train, under torchrun and wherever else there is a process group, every rank
    makes one, before or after the group, and the numbers are those of all ranks; anywhere else they
    are those of this process.

        with raymon.Monitor(train_metrics=["auc"]) as monitor:
            for batch in loader:
                ...
                monitor.step(losses={"bce": loss}, predictions=scores, targets=labels)

    Only the constructor raises: a later failure is counted in `failures`, and the first one is
    logged. In a forked process the monitor does nothing: it belongs to the parent, whose threads it
    uses.

    Args:
        train_metrics: Metrics that decay over the steps: names as in a config ("auc", "log_loss"),
            metrics of raymon or torchmetrics, which are copied, `TrainMetricWrapper`s, or
            `TrainMetricConfig` messages; either a list of them, or a mapping from the names to
            show. Where a step has several predictions, a list for each: `{"click": ["auc"]}`,
            shown as `auc_click`.
        model_dir: Directory, or its URI, for `monitor/windows.jsonl`, TensorBoard events and what a
            restart needs; only one run at a time may write to it. None: the storage of the run in
            Ray Train, elsewhere nothing is written.
        total_steps: Steps of the run, for a progress bar and the remaining time.
        log_step_count_steps: Steps that one progress line and one point of the curves cover.
        use_tensorboard: Whether TensorBoard events are written.
        optimizer: Optimizer whose learning rates are shown.
        name: Name of this monitor where a run has several; it writes to a directory of that name.
            The same on every rank.
        first_step: Steps that the model has already made, for a run that continues; numbers past
            that step are taken back. None: the run is new, and the directory has no numbers of
            another run.
        sinks: Further sinks that the numbers are written to, each on a thread of its own in the
            process of the reporter.

    Raises:
        UserError: An argument is wrong, another run writes to the same directory, or the directory
            has the numbers of another run and `first_step` is None.
    """

    def __init__(
        self,
        train_metrics: TrainMetrics = (),
        *,
        model_dir: str | PathLike[str] | ObjectPath | None = None,
        total_steps: int | None = None,
        log_step_count_steps: int = 100,
        use_tensorboard: bool = True,
        optimizer: torch.optim.Optimizer | None = None,
        name: str | None = None,
        first_step: int | None = None,
        sinks: Sequence[Sink] = (),
    ) -> None:
        _check_at_least(1, log_step_count_steps=log_step_count_steps, total_steps=total_steps)
        _check_at_least(0, first_step=first_step)
        if name is not None and (not name or Path(name).name != name):
            raise UserError(f"name: {name!r} is no name of a directory")
        if optimizer is not None and not hasattr(optimizer, "param_groups"):
            raise UserError(f"optimizer: {optimizer!r:.60} is none; give one of torch.optim")
        given = None if model_dir is None else storage_path(model_dir)
        metrics, metric_predictions = build_by_prediction(train_metrics)
        settings = RunSettings(
            metrics,
            given.expanduser() if isinstance(given, Path) else given,
            name,
            log_step_count_steps,
            use_tensorboard,
            first_step,
            total_steps,
            tuple(sinks),
            metric_predictions,
        )
        self._optimizer = optimizer
        self._process = os.getpid()
        self._failures = 0
        self._arrived: bool | None = None
        self._ended_by: type[BaseException] | None = None
        self._progress: Progress | None = None
        self._files: RunFiles | None = None
        self._total_steps = total_steps
        self._in_ray = in_ray_train()
        self._run = find_run(settings)
        if self._run is not None and self._run.publisher is not None:
            terminal = open_output(own_process=not self._in_ray)
            console = Console(total_steps, MonitorConfig().progress_interval_s, terminal)
            # None but that of the environment: there is no config.
            hooks = make_alert_hooks(MonitorConfig(), str(self._run.directory))
            session = self._run.session
            attempts = None if session is None else Attempts(session.attempts)
            progress = Progress(self._run.publisher, console, hooks, attempts)
            self._progress = progress.__enter__()
            if session is not None:
                self._files = RunFiles(self._run, total_steps, progress)
                _log.info("monitoring: the numbers go to %s", self._run.directory)
        if not self._in_ray:
            atexit.register(self.close)
        self._rank = None if self._run is None else MonitoredRank(self._run, settings)

    def step(
        self,
        losses: Losses,
        predictions: Columns | None = None,
        targets: Columns | None = None,
        *,
        weights: Columns | None = None,
        samples: int | None = None,
        epoch: int = 0,
        learning_rates: Sequence[float] = (),
    ) -> None:
        """Adds a step, which is one batch of this rank, without waiting for anything.

        Tensors are kept until their values are added up: do not write to them afterwards. Arrays
        and lists are copied.

        Args:
            losses: Loss scalars by name, on any device: means over the batch, weighted ones if
                there are weights. A loss with the name of a prediction is the mean over its rows.
            predictions: Predictions `[B]` or `[B, C]`, as the metrics take them; or several by
                name, each with rows of its own, of which there may be fewer or none.
            targets: Targets `[B]`, as the metrics take them; by name as the predictions are.
            weights: Sample weights, float `[B]`, for the metrics that take weights and for the mean
                of the losses over steps and ranks; or by name.
            samples: Number of rows B; by default the rows of `targets`, or else of `predictions`;
                of several predictions, those of the first.
            epoch: Number of the epoch, from 0.
            learning_rates: Learning rates by parameter group; by default those of the optimizer.
        """
        if self._is_forked:
            return
        try:
            if self._arrived is not None:
                raise RuntimeError("a step after close() is in no number")
            if self._rank is not None:
                rates = learning_rates or learning_rates_of(self._optimizer)
                step = losses, predictions, targets, weights, samples, epoch, rates
                if torch.is_inference_mode_enabled():
                    # Tensors made in inference mode cannot be added to outside of it.
                    with torch.inference_mode(False):
                        self._rank.step(*step)
                else:
                    self._rank.step(*step)
        except Exception as error:
            self._count(error)

    def log(self, values: Mapping[str, Tensor | float], *, reduce: str = "mean") -> None:
        """Adds scalars of your own to the step whose `step` comes next, without waiting.

        The values of a name become one over the steps of a window and over all ranks. Values that
        are NaN or infinite are counted and left out.

            monitor.log({"gradient_norm": norm, "temperature": 0.5})
            monitor.log({"longest": lengths.max()}, reduce="max")

        Args:
            values: Tensors of one number each, on any device, or numbers, by name. Any rank may log
                any name at any step.
            reduce: How the values of a name become one: "mean", in which each value weighs the
                same, "sum", "min" or "max"; always the same for a name.
        """
        if self._rank is None or self._is_forked:
            return
        if self._arrived is not None:
            self._count(RuntimeError("a scalar after close() is in no number"))
            return
        if torch.is_inference_mode_enabled():
            with torch.inference_mode(False):
                self._rank.scalars.add(values, reduce)
        else:
            self._rank.scalars.add(values, reduce)

    def evaluation(self, scores: Mapping[str, Tensor | float], *, step: int | None = None) -> None:
        """Publishes the scores of an evaluation, without waiting.

        They are those of the whole evaluation data: raymon does not merge them. Every rank may call
        it, and what rank 0 gives counts.

        Args:
            scores: Tensors of one number each, on any device, or numbers, by name.
            step: Steps that the model has made; None for those until now.
        """
        if self._rank is not None and self._arrived is None and not self._is_forked:
            rank = self._rank
            self._try(lambda: rank.evaluation(scores, step))

    def checkpoint(self, path: str | PathLike[str] | None = None) -> None:
        """Marks that a checkpoint is made of the state after the last step, without waiting.

        A run that continues from it with `first_step` has the numbers as they were here. Every rank
        calls it, after the same step.

        Args:
            path: Where it is, for sinks that link to checkpoints; None leaves that out.
        """
        if self._rank is not None and self._arrived is None and not self._is_forked:
            rank = self._rank
            self._try(lambda: rank.checkpoint(None if path is None else os.fspath(path)))

    def skip_time(self) -> None:
        """Leaves the time since the last step, such as an evaluation, out of training time."""
        if self._rank is not None:
            self._rank.clock.skip()

    def phase(self, name: str) -> AbstractContextManager[None]:
        """Returns a context whose time is that of a phase of the step; without any it is `step`.

        Args:
            name: One of `data`, `move`, `forward`, `backward`, `peers` and `optimizer`; or
                `evaluation` or `checkpoint`, which are no part of training time.
        """
        if self._rank is None or self._is_forked:
            return nullcontext()
        if name not in _PHASES:
            self._count(_no_phase(name))
            return nullcontext()
        return self._rank.clock.within(name)

    def enter_phase(self, name: str) -> None:
        """Begins a phase of the step, which lasts until another one begins or the step ends.

        It is for hooks of a trainer, which no context can surround.

        Args:
            name: See `phase`.
        """
        if self._rank is None or self._is_forked:
            return
        if name not in _PHASES:
            self._count(_no_phase(name))
        elif self._arrived is None:
            self._rank.clock.enter(name)

    def compute(self) -> dict[str, float]:
        """Returns the decayed metrics of all ranks by name, as they were last published."""
        return {} if self._rank is None else dict(self._rank.values)

    def snapshot(self) -> Snapshot | None:
        """Returns the newest numbers of all ranks; None before the first, and on ranks above 0."""
        return self._progress.last if self._progress else None

    @property
    def failures(self) -> int:
        """Number of failures on this rank that were counted instead of raised."""
        parts = (self._rank, self._files)
        return self._failures + sum(part.failures for part in parts if part is not None)

    def close(self, timeout_s: float = _CLOSE_S) -> bool:
        """Sends what is left.

        Where there are several ranks every one calls it, and rank 0 waits for the others.

        Args:
            timeout_s: Seconds that it may take.

        Returns:
            Whether everything that this rank measured arrived.
        """
        return self._close(timeout_s, True, what_ends(self._is_whole))

    def __enter__(self) -> Monitor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended_by = kind
        if kind is not None and self._in_ray:
            # The other ranks may not reach this, and Ray Train may restart all of them.
            self._close(_LEAVE_S, False, error)
        elif kind is not None:
            self._close(_CLOSE_S, True, error)
        else:
            self.close()

    @property
    def _is_forked(self) -> bool:
        # A forked process has no threads of its parent, but may have its locks, held forever.
        return os.getpid() != self._process

    @property
    def _is_whole(self) -> bool | None:
        if self._total_steps is None or self._progress is None:
            return None
        return self._progress.attempts.reached >= self._total_steps

    def _close(self, timeout_s: float, over: bool, error: BaseException | None) -> bool:
        if self._is_forked:
            return False
        if self._arrived is None:
            self._arrived = False
            atexit.unregister(self.close)
            if self._run is not None and self._rank is not None:
                self._end(self._run, self._rank, timeout_s, over, error)
        return self._arrived

    def _end(
        self,
        run: MonitoredRun,
        rank: MonitoredRank,
        timeout_s: float,
        over: bool,
        error: BaseException | None,
    ) -> None:
        if error is not None and run.world_size > 1:
            # The other ranks may wait for this one in a collective, and never close theirs.
            timeout_s = min(timeout_s, _LEAVE_S)
        deadline = time.monotonic() + timeout_s
        # Each step may fail alone: the live line has to be removed even if the reporter is gone.
        self._try(run.begin_close)
        self._arrived = bool(self._try(lambda: rank.close(timeout_s)))
        if self._files is not None:
            self._try(self._files.close)
        ended = RunEnded(*how_it_ended(error))
        status = self._try(lambda: run.close(deadline, ended)) if over else None
        if self._progress is not None:
            self._progress.__exit__(self._ended_by, None, None)
        if status is not None:
            _log.info("monitoring: %s", Monitoring.of_status(status))
        files = self._files
        if files is not None:
            self._try(lambda: files.write_end(error, status))
        if over:
            self._try(run.end)

    def _try(self, action: Callable[[], T]) -> T | None:
        try:
            return action()
        except Exception as error:
            self._count(error)
            return None

    def _count(self, error: Exception) -> None:
        self._failures += 1
        if self._failures == 1:
            _log.warning("monitoring: %s: %s", type(error).__name__, error)


def _no_phase(name: str) -> ValueError:
    return ValueError(f"phase {name!r}: must be one of {', '.join(_PHASES)}")


def _check_at_least(least: int, **numbers: int | None) -> None:
    for name, number in numbers.items():
        if number is not None and not (isinstance(number, Integral) and number >= least):
            raise UserError(f"{name} is {number!r}; it must be a whole number of at least {least}")
