"""Runs the trials of a sweep by Ray Tune, on the cluster that this process is connected to."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

# Ray Tune reads these when it is imported or begins. raymon handles signals, writes the numbers of
# trials, and has a display.
os.environ.setdefault("TUNE_DISABLE_SIGINT_HANDLER", "1")
os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
os.environ.setdefault("TUNE_FORCE_TRIAL_CLEANUP_S", "100")
os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")

import ray
from ray import tune
from ray.tune import Callback, FailureConfig, PlacementGroupFactory, RunConfig, TuneConfig, Tuner

from raymon.config import custom_classes_allowed
from raymon.errors import reason
from raymon.metrics import registered_metrics
from raymon.protos.ray_pb2 import RayConfig
from raymon.run_dir import read_lease
from raymon.storage import StoragePath, remove_tree
from raymon.training.on_ray.cluster import wait_for_capacity, worker_resources
from raymon.training.on_ray.storage import in_ray
from raymon.tuning.on_ray.schedulers import Asha, make_scheduler
from raymon.tuning.on_ray.trial_actor import STATUS, STEP, VALUE, WORST, TrialActor, TrialSettings
from raymon.tuning.plan import SweepPlan, TrialPlan
from raymon.tuning.results import PRUNED, TrialResult
from raymon.tuning.trial_run import stop_runs

_log = logging.getLogger("raymon")

_TUNE = ".tune"
"""Directory of what Ray Tune writes, removed at the end: a resumed sweep does not need it."""

_LEAVE_S = 100.0


class Watcher(Protocol):
    """Takes what happens to trials."""

    def began(self, trial: str) -> None:
        """A trial begins, or goes on."""

    def reported(
        self, trial: str, step: int, value: float | None, values: Mapping[str, Any]
    ) -> None:
        """A trial has a value of the metric; None if it has none at that step."""

    def ended(self, trial: str, status: str | None, error: str | None) -> None:
        """A trial is over; the status is None if its run knows it."""


def run_trials(
    plan: SweepPlan,
    trials: Sequence[TrialPlan],
    watcher: Watcher,
    earlier: Iterable[TrialResult] = (),
) -> None:
    """Runs trials, as many at a time as fit.

    Args:
        plan: Plan of the sweep.
        trials: Those that are to run, with the values that they begin or go on with.
        watcher: Takes what happens.
        earlier: What came of trials in earlier sessions.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed; the trials have saved and stopped.
        ConfigError: The cluster has no place for a trial.
    """
    config = plan.config.ray_config
    place = RayConfig()
    place.CopyFrom(config)
    if not config.num_workers:
        place.num_workers = 1
    wait_for_capacity(place, data_by_ray=False)
    settings = TrialSettings(plan, registered_metrics(), custom_classes_allowed())
    at_a_time = _at_a_time(plan, place)
    if plan.exploits and at_a_time < len(trials):
        _log.warning(
            "pbt compares trials that go on at the same time, and %d of %d do; a larger cluster or "
            "max_concurrent_trials would have it compare more",
            at_a_time,
            len(trials),
        )
    scheduler = make_scheduler(plan, earlier)
    actor = tune.with_resources(
        tune.with_parameters(TrialActor, settings=settings),
        PlacementGroupFactory([_resources(config)]),
    )
    directory, filesystem = in_ray(plan.directory)
    values = {trial.name: trial.values for trial in trials}
    names = iter(values)
    tuner = Tuner(
        actor,
        param_space={"values": tune.grid_search([dict(each) for each in values.values()])},
        tune_config=TuneConfig(
            metric=None if scheduler_knows_metric(scheduler) else VALUE,
            mode=None if scheduler_knows_metric(scheduler) else "max",
            scheduler=scheduler,
            max_concurrent_trials=at_a_time,
            reuse_actors=True,
            # Trials are made in the order of the grid.
            trial_name_creator=lambda trial: next(names),
            trial_dirname_creator=lambda trial: str(trial.trial_id),
        ),
        run_config=RunConfig(
            name=_TUNE,
            storage_path=directory,
            storage_filesystem=filesystem,
            verbose=0,
            failure_config=FailureConfig(
                max_failures=0 if config.num_workers else config.max_failures
            ),
            callbacks=[_Told(watcher, scheduler)],
        ),
    )
    directories = [plan.trial_dir(trial.name) for trial in trials]
    try:
        tuner.fit()
        _wait_until_over(directories)
    except KeyboardInterrupt:
        _log.warning("Interrupted: trials save and stop; --resume goes on with the sweep")
        stop_runs(directories, _is_over, _LEAVE_S)
        raise
    finally:
        with suppress(OSError):
            remove_tree(plan.directory / _TUNE)


def scheduler_knows_metric(scheduler: Any) -> bool:
    """Returns whether a scheduler has a metric of its own."""
    return getattr(scheduler, "_metric", None) is not None


def _resources(config: RayConfig) -> dict[str, float]:
    if not config.num_workers:
        return worker_resources(config)
    # The workers have the CPUs. The trial waits for them without any, so that trials that wait for
    # each other's workers cannot be; Ray wants an actor of Tune to ask for something.
    return {"memory": 1.0}


def _at_a_time(plan: SweepPlan, place: RayConfig) -> int:
    """Returns how many trials run at a time: as many as fit, and not more than the space says."""
    need = worker_resources(place)
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    places = sum(
        min(int(node.get(name, 0.0) / amount + 1e-9) for name, amount in need.items())
        for node in nodes
    )
    workers = place.num_workers if places >= place.num_workers else place.min_workers
    fitting = max(1, places // max(1, workers))
    asked = plan.space.config.max_concurrent_trials
    return min(fitting, asked) if asked else fitting


class _Told(Callback):
    """Tells a watcher what Ray Tune says."""

    def __init__(self, watcher: Watcher, scheduler: Any) -> None:
        self._watcher = watcher
        self._scheduler = scheduler

    def on_trial_start(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        """Tells that a trial begins."""
        self._watcher.began(str(trial))

    def on_trial_result(
        self, iteration: int, trials: Any, trial: Any, result: Mapping[str, Any], **info: Any
    ) -> None:
        """Tells a value of the metric."""
        if STEP not in result or VALUE not in result:
            return
        value = float(result[VALUE])
        known = None if abs(value) >= WORST else value
        self._watcher.reported(str(trial), int(result[STEP]), known, trial.config["values"])

    def on_trial_complete(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        """Tells that a trial is over."""
        status = (trial.last_result or {}).get(STATUS)
        if isinstance(self._scheduler, Asha) and str(trial) in self._scheduler.pruned:
            status = status if status is not None else PRUNED
        self._watcher.ended(str(trial), status, None)

    def on_trial_error(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        """Tells that a trial failed."""
        self._watcher.ended(str(trial), "failed", _why(trial))


def _why(trial: Any) -> str:
    error = trial.get_pickled_error()
    if error is None:
        return "it failed without a word"
    return reason(getattr(error, "cause", None) or error)


def _wait_until_over(directories: Sequence[StoragePath]) -> None:
    """Waits until no run writes to any of the directories any more."""
    deadline = time.monotonic() + _LEAVE_S
    while not all(map(_is_over, directories)) and time.monotonic() < deadline:
        time.sleep(0.1)


def _is_over(directory: StoragePath) -> bool:
    lease = read_lease(directory)
    return lease is None or lease.is_over
