"""The schedulers of Ray Tune as a space asks for them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ray import tune
from ray.tune.schedulers import (
    ASHAScheduler,
    FIFOScheduler,
    PopulationBasedTraining,
    TrialScheduler,
)

from raymon.tuning.on_ray.trial_actor import STEP, VALUE
from raymon.tuning.parameters import Parameter
from raymon.tuning.plan import SweepPlan, grace_period, perturbation_interval
from raymon.tuning.results import TrialResult


@dataclass(frozen=True)
class _Named:
    """All that asynchronous halving asks of a trial: an id, the same in every session."""

    trial_id: str


class Asha(ASHAScheduler):
    """Asynchronous successive halving that knows trials by the names that they have in a sweep.

    So a sweep that is resumed can tell it what earlier sessions reported.

    Attributes:
        pruned: Steps at which trials were ended, by name.
    """

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.pruned: dict[str, int] = {}

    @property
    def _asha(self) -> Any:
        # Its annotations ask for whole trials of Ray Tune.
        return super()

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        """Takes a trial, perhaps one of an earlier session."""
        self._asha.on_trial_add(tune_controller, _named(trial))

    def on_trial_result(self, tune_controller: Any, trial: Any, result: Mapping[str, Any]) -> str:
        """Decides whether a trial goes on."""
        action = str(self._asha.on_trial_result(tune_controller, _named(trial), result))
        if action == TrialScheduler.STOP:
            self.pruned[_named(trial).trial_id] = int(result[STEP])
        return action

    def on_trial_complete(
        self, tune_controller: Any, trial: Any, result: Mapping[str, Any]
    ) -> None:
        """Takes the last result of a trial."""
        self._asha.on_trial_complete(tune_controller, _named(trial), result)

    def on_trial_remove(self, tune_controller: Any, trial: Any) -> None:
        """Forgets a trial that failed."""
        self._asha.on_trial_remove(tune_controller, _named(trial))

    def remember(self, results: Iterable[TrialResult]) -> None:
        """Takes what trials reported in earlier sessions."""
        for result in results:
            if result.curve is None or not len(result.curve.steps):
                continue
            trial = _Named(result.trial)
            self._asha.on_trial_add(None, trial)
            for step, value in zip(result.curve.steps, result.curve.values, strict=True):
                self._asha.on_trial_result(None, trial, {STEP: int(step), VALUE: float(value)})


def _named(trial: Any) -> _Named:
    return trial if isinstance(trial, _Named) else _Named(str(trial))


def make_scheduler(plan: SweepPlan, earlier: Iterable[TrialResult] = ()) -> TrialScheduler:
    """Returns the scheduler that the space of a sweep asks for.

    Args:
        plan: Plan of the sweep.
        earlier: Trials of earlier sessions.
    """
    mode = "max" if plan.larger_is_better else "min"
    given = plan.space.config
    if given.HasField("asha"):
        assert plan.total_steps is not None
        asha = Asha(
            time_attr=STEP,
            metric=VALUE,
            mode=mode,
            max_t=plan.total_steps,
            grace_period=grace_period(plan.space, plan.total_steps),
            reduction_factor=given.asha.reduction_factor,
            # A run ends by itself at its last step.
            stop_last_trials=False,
        )
        asha.remember(earlier)
        return asha
    if given.HasField("pbt"):
        random.seed(given.seed)
        return PopulationBasedTraining(
            time_attr=STEP,
            metric=VALUE,
            mode=mode,
            perturbation_interval=perturbation_interval(plan.space, plan.config),
            hyperparam_mutations={"values": {p.path: _domain(p) for p in plan.space.parameters}},
            quantile_fraction=given.pbt.quantile_fraction,
            resample_probability=given.pbt.resample_probability,
            custom_explore_fn=lambda config: _fitting(config, plan.space.parameters),
            log_config=False,
            require_attrs=False,
        )
    return FIFOScheduler()


def _domain(parameter: Parameter) -> Any:
    if parameter.values:
        return list(parameter.values)
    if parameter.kind == "randint":
        return tune.randint(int(parameter.low), int(parameter.high) + 1)
    kind = tune.loguniform if parameter.kind == "loguniform" else tune.uniform
    return kind(parameter.low, parameter.high)


def _fitting(config: dict[str, Any], parameters: Iterable[Parameter]) -> dict[str, Any]:
    """Returns a config of Ray Tune whose values are in their ranges."""
    values = dict(config["values"])
    for parameter in parameters:
        if not parameter.values:
            values[parameter.path] = parameter.fit(float(values[parameter.path]))
    return {**config, "values": values}
