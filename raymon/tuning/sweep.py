"""A sweep from its files to its table: begun, followed, and resumed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from os import PathLike
from typing import Any

from google.protobuf import text_format

from raymon.errors import ConfigError, RunError, UserError, os_reason
from raymon.protos.tune_pb2 import TuneConfig
from raymon.run_dir import RunLock
from raymon.sinks import open_output
from raymon.storage import StoragePath, write_whole
from raymon.training.checkpoint.manifest import newest_checkpoint
from raymon.tuning.live import SweepLine
from raymon.tuning.parameters import Value
from raymon.tuning.plan import SweepPlan, TrialPlan, plan_sweep
from raymon.tuning.plot import sweep_svg
from raymon.tuning.results import (
    FINISHED,
    SWEEP_FILE,
    WAITING,
    SweepResult,
    TrialResult,
    read_sweep,
    trial_result,
)
from raymon.tuning.space import read_space
from raymon.tuning.table import values_text

_log = logging.getLogger("raymon")

PLOT_FILE = "sweep.svg"

_WRITE_S = 2.0
"""Seconds between two versions of `sweep.json` while only numbers are new."""


def tune(
    space: str | PathLike[str] | TuneConfig,
    config: str | PathLike[str],
    overrides: Mapping[str, object] | Sequence[str] = (),
    *,
    resume: bool = False,
    address: str | None = None,
) -> SweepResult:
    """Trains a config again and again with other values of some fields, by Ray Tune.

    Args:
        space: Path of a protobuf text file with a `TuneConfig`, or its content.
        config: Path of the pipeline config; its `model_dir` is the directory of the sweep.
        overrides: Overrides of the config that hold for all trials.
        resume: Whether to go on with a sweep that was interrupted or killed.
        address: Address of a Ray cluster; None uses RAY_ADDRESS, or starts Ray on this machine.

    Returns:
        What came of it; `sweep.json` in its directory has the same.

    Raises:
        UserError: What the user gave is wrong; no trial has begun.
        KeyboardInterrupt: Ctrl-C was pressed; the trials have saved and stopped.
    """
    plan = _in_own_process(plan_sweep(read_space(space), config, overrides))
    watched = plan.config.monitor_config
    terminal = open_output(level=watched.log_level, log_format=watched.log_format)
    with RunLock(plan.directory):
        sweep = Sweep(plan, resume)
        # Imported only where it is needed, as importing Ray takes seconds.
        from raymon.training.on_ray.cluster import connect

        connect(address)
        from raymon.tuning.on_ray.run_trials import run_trials

        with SweepLine(plan, terminal) as line:
            return sweep.run(line, run_trials)


def _in_own_process(plan: SweepPlan) -> SweepPlan:
    """Returns the plan with trials in their own processes, unless the config asks for workers."""
    if not plan.config.ray_config.HasField("num_workers"):
        plan.config.ray_config.num_workers = 0
    return plan


class Sweep:
    """A sweep that has its directory: what is known of its trials, and its files.

    Args:
        plan: Plan of the sweep.
        resume: Whether it goes on.

    Raises:
        UserError: It cannot begin or go on in its directory.
    """

    def __init__(self, plan: SweepPlan, resume: bool) -> None:
        self._plan = plan
        self._line: SweepLine | None = None
        self._written_at = 0.0
        self._is_new = True
        self._has_begun = False
        self._ended: dict[str, tuple[str | None, str | None]] = {}
        self._space = text_format.MessageToString(plan.space.config)
        self._start = time.time()
        self._check_directory(plan.directory, resume)
        self._results: dict[str, TrialResult] = {
            trial.name: trial_result(plan, trial.name, trial.values, *self._said(trial.name))
            for trial in plan.trials
        }

    def run(self, line: SweepLine, run_trials: Callable[..., None]) -> SweepResult:
        """Runs all trials that are not over, and writes what came of them.

        Args:
            line: Shows where the sweep is.
            run_trials: `raymon.tuning.on_ray.run_trials`.
        """
        self._line = line
        for known in self._results.values():
            line.take_status(known.trial, self._shown(known))
        left = [
            TrialPlan(name, result.values)
            for name, result in self._results.items()
            if result.status not in FINISHED
        ]
        earlier = [result for result in self._results.values() if result.curve is not None]
        over = len(self._results) - len(left)
        _log.info(
            "Sweep of %d trials into %s%s",
            len(self._results),
            self._plan.directory,
            f"; {over} are over already" if over else "",
        )
        self._write("running")
        try:
            if left:
                # They go on from their checkpoints, so what an earlier session said is over.
                for trial in left:
                    self._ended.pop(trial.name, None)
                run_trials(self._plan, left, self, earlier)
        except KeyboardInterrupt:
            self._finish("interrupted")
            raise
        except UserError:
            if self._is_new and not self._has_begun:
                # It was refused, so there is no sweep to go on with.
                with suppress(OSError):
                    (self._plan.directory / SWEEP_FILE).unlink()
            raise
        except BaseException:
            self._finish("failed")
            raise
        return self._finish("done")

    def began(self, trial: str) -> None:
        """A trial begins, or goes on."""
        self._has_begun = True
        self._ended.pop(trial, None)
        self._note(trial, "running")

    def reported(
        self, trial: str, step: int, value: float | None, values: Mapping[str, Value]
    ) -> None:
        """A trial has a value of the metric."""
        assert self._line is not None
        self._line.take_value(trial, step, value, values)
        result = replace(self._results[trial], values=dict(values), steps=step)
        if value is not None:
            result = replace(result, last_value=value, last_step=step)
            best = result.best_value
            if best is None or self._plan.is_better(value, best):
                result = replace(result, best_value=value, best_step=step)
        self._results[trial] = result
        if time.monotonic() - self._written_at >= _WRITE_S:
            self._write("running")

    def ended(self, trial: str, status: str | None, error: str | None) -> None:
        """A trial is over."""
        self._ended[trial] = (status, error)
        self._note(trial, status or "done", error)
        result = self._results[trial]
        named = f"Trial {trial} ({values_text(result.values)})"
        if error:
            _log.warning("%s failed: %s", named, error)
        else:
            _log.info("%s is %s at step %s", named, status or "over", f"{result.steps:,}")

    def _note(self, trial: str, status: str, error: str | None = None) -> None:
        assert self._line is not None
        self._results[trial] = replace(self._results[trial], status=status, error=error)
        self._line.take_status(trial, status)
        self._write("running")

    def _finish(self, status: str) -> SweepResult:
        """Reads what came of the trials from their directories, and writes it."""
        for trial in self._plan.trials:
            said, error = self._ended.get(trial.name, (None, None))
            found = trial_result(self._plan, trial.name, trial.values, said, error)
            if status == "interrupted" and found.status not in {WAITING, *FINISHED, "failed"}:
                found = replace(found, status="interrupted")
            self._results[trial.name] = found
        if status == "done" and not any(r.status in FINISHED for r in self._results.values()):
            status = "failed"
        result = self._result(status)
        self._try_to_write(result)
        with suppress(OSError):
            svg = sweep_svg(result, self._plan.space.parameters)
            write_whole(self._plan.directory / PLOT_FILE, svg.encode())
        return result

    def _result(self, status: str) -> SweepResult:
        plan = self._plan
        return SweepResult(
            status,
            str(plan.directory),
            plan.metric,
            plan.in_training,
            plan.larger_is_better,
            list(self._results.values()),
            self._start,
            None if status == "running" else time.time(),
            plan.total_steps,
            self._space,
        )

    def _write(self, status: str) -> None:
        self._written_at = time.monotonic()
        self._try_to_write(self._result(status))

    def _try_to_write(self, result: SweepResult) -> None:
        try:
            result.write()
        except OSError as error:
            _log.warning("%s is not written: %s", SWEEP_FILE, os_reason(error))

    def _check_directory(self, directory: StoragePath, resume: bool) -> None:
        """Checks that a sweep goes on only if asked to, and only as it began.

        Raises:
            RunError: It does not.
        """
        before = read_sweep(directory)
        self._is_new = before is None
        if before is None:
            if resume:
                raise RunError(f"{directory}: --resume: no sweep to go on with")
            if newest_checkpoint(directory) is not None:
                raise RunError(
                    f"{directory}: has checkpoints of a run; choose another model_dir for the sweep"
                )
            return
        if not resume:
            raise RunError(
                f"{directory}: has a sweep; pass --resume to go on with it, or choose another "
                "model_dir"
            )
        if before.get("space") != self._space:
            raise ConfigError(
                f"{directory}: --resume: the sweep began with another space; {SWEEP_FILE} has it"
            )
        self._start = float(before.get("start") or self._start)
        for trial in before["trials"]:
            if isinstance(trial, dict) and trial.get("status") in FINISHED:
                self._ended[str(trial.get("trial"))] = (str(trial["status"]), None)

    def _said(self, trial: str) -> tuple[str | None, str | None]:
        return self._ended.get(trial, (None, None))

    def _shown(self, result: TrialResult) -> str:
        return result.status if result.status in FINISHED else WAITING


def as_json(result: SweepResult) -> dict[str, Any]:
    """Returns what a sweep came to, as JSON values, the best trial first."""
    return {**result.to_json(), "trials": [trial.to_json() for trial in result.ranked()]}
