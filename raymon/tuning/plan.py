"""A sweep that can begin: its trials, checked against the config that they vary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike

from raymon.config import (
    TOTAL_LOSS,
    cannot_rank,
    describe_unknown,
    has_losses,
    known_direction,
    metric_names,
    override,
)
from raymon.errors import ConfigError
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.protos.tune_pb2 import TuneConfig
from raymon.storage import StoragePath, storage_path
from raymon.training.train import load_checked
from raymon.training.trial_configs import (
    anywhere,
    overridden,
    planned_steps,
    state_shapes,
    train_metric_names,
)
from raymon.tuning.parameters import Parameter, Value, draw_trials, text_of
from raymon.tuning.space import Space, located

_OWN = {
    "model_dir": "each trial has a directory of its own, model_dir/trials/ID",
    "ray_config": "all trials take the same place on the cluster",
    "monitor_config": "it changes no number that trials are compared by",
    "export_config": "it says by which metric trials are compared",
    "eval_input_path": "trials on other evaluation data cannot be compared",
    "eval_config": "trials that are evaluated in another way cannot be compared",
}
"""Fields that are not varied, and why."""

_STEPS = ("train_config.num_steps", "train_config.num_epochs")

_NOT_OF_A_CHECKPOINT = (
    "train_input_path",
    "data_config",
    "feature_configs",
    "train_config.seed",
    "train_config.fine_tune_checkpoint",
    "train_config.embedding_tables",
)
"""Fields that a run that goes on from a checkpoint cannot change."""


@dataclass(frozen=True)
class TrialPlan:
    """A trial before it begins: its name, and its values by the paths of fields."""

    name: str
    values: Mapping[str, Value]


@dataclass(frozen=True)
class SweepPlan:
    """A sweep that can begin.

    Attributes:
        config: The config that is varied, with absolute paths.
        space: The space.
        metric: Metric by which trials are compared.
        in_training: Whether it is one of the training, and not of evaluations.
        larger_is_better: Whether larger values of it are better.
        total_steps: Steps of a trial; None if they are not known.
        trials: The trials.
    """

    config: PipelineConfig
    space: Space
    metric: str
    in_training: bool
    larger_is_better: bool
    total_steps: int | None
    trials: Sequence[TrialPlan] = field(default_factory=tuple)

    @property
    def directory(self) -> StoragePath:
        """The directory of the sweep."""
        return storage_path(self.config.model_dir)

    @property
    def exploits(self) -> bool:
        """Whether trials go on from checkpoints of others."""
        return self.space.config.HasField("pbt")

    def trial_dir(self, name: str) -> StoragePath:
        """Returns the directory of a trial, which is that of a run."""
        return self.directory / "trials" / name

    def trial_config(self, name: str, values: Mapping[str, Value]) -> PipelineConfig:
        """Returns the config of the run of a trial.

        Raises:
            ConfigError: The values do not go together.
        """
        directory = str(self.trial_dir(name))
        return overridden(self.config, [*overrides_of(values), f"model_dir={directory}"])

    def is_better(self, value: float, other: float) -> bool:
        """Returns whether a value of the metric is better than another one."""
        return value > other if self.larger_is_better else value < other


def overrides_of(values: Mapping[str, Value]) -> list[str]:
    """Returns values as overrides, `PATH=VALUE`."""
    return [f"{path}={text_of(value)}" for path, value in values.items()]


def plan_sweep(
    space: Space, config: str | PathLike[str], overrides: Sequence[str] | Mapping[str, object] = ()
) -> SweepPlan:
    """Checks a space against a config, its data, and every value that is known before.

    Args:
        space: The space.
        config: Path of the pipeline config.
        overrides: Overrides of the config that hold for all trials.

    Raises:
        UserError: Something does not fit; nothing has begun.
    """
    base = anywhere(load_checked(config, overrides))
    metric, in_training = _metric(space, base)
    larger = _larger_is_better(space, base, metric)
    base = _with_length(space, base)
    for parameter in space.parameters:
        _check_parameter(parameter, space, base)
    total_steps = planned_steps(base)
    _check_scheduler(space, base, total_steps, in_training)
    drawn = draw_trials(space.parameters, space.num_trials, space.config.seed)
    digits = max(3, len(str(len(drawn))))
    trials = [
        TrialPlan(f"{index:0{digits}d}", values) for index, values in enumerate(drawn, start=1)
    ]
    plan = SweepPlan(base, space, metric, in_training, larger, total_steps, trials)
    for trial in trials:
        try:
            # Each value by itself has been tried with the model too.
            override(base, overrides_of(trial.values))
        except ConfigError as error:
            given = " ".join(f"--set {each}" for each in overrides_of(trial.values))
            why = located(error, "parameters", space.source)
            raise ConfigError(f"{why}; of the trial with {given}") from None
    return plan


def _metric(space: Space, config: PipelineConfig) -> tuple[str, bool]:
    given, source = space.config, space.source
    in_training = given.metric_source == TuneConfig.TRAINING
    if in_training:
        metric = given.metric or TOTAL_LOSS
        names = train_metric_names(config)
    else:
        metric = given.metric or config.export_config.best_exporter_metric
        names = metric_names(config)
        if not config.eval_input_path:
            raise source.error(
                "metric",
                f'is "{metric}" of evaluations, and nothing is evaluated; give eval_input_path in '
                "the config, or metric_source: TRAINING",
            )
    # A custom model without losses in the config has metrics that are not known here.
    if has_losses(config) and metric not in names:
        what = "of the training" if in_training else "of the evaluation"
        raise source.error("metric", describe_unknown(metric, names, f"metric {what}"))
    if cannot_rank(config, metric):
        raise source.error(
            "metric", f'is "{metric}", of which neither more nor less is better; give another'
        )
    return metric, in_training


def _larger_is_better(space: Space, config: PipelineConfig, metric: str) -> bool:
    known = known_direction(config, metric)
    given = space.config.larger_is_better
    if not space.config.HasField("larger_is_better"):
        export = config.export_config
        is_exported = metric == export.best_exporter_metric
        unknown = bool(export.metric_larger_is_better) if is_exported else True
        return unknown if known is None else known
    if known is not None and known != given:
        better = "larger" if known else "smaller"
        raise space.source.error(
            "larger_is_better",
            f"is {str(given).lower()}, and of {metric} the {better} is the better; leave it out",
        )
    return bool(given)


def _with_length(space: Space, config: PipelineConfig) -> PipelineConfig:
    """Returns the config with the length that `asha.max_t` asks for."""
    asha = space.config.asha
    if not asha.HasField("max_t"):
        return config
    return overridden(config, [f"{_STEPS[0]}={asha.max_t}"])


def _check_parameter(parameter: Parameter, space: Space, config: PipelineConfig) -> None:
    source, path, place = space.source, parameter.path, f"{parameter.place}.path"
    for own, why in _OWN.items():
        if path == own or path.startswith(f"{own}."):
            raise source.error(place, f'"{path}" cannot be varied: {why}')
    scheduler = space.config.WhichOneof("scheduler")
    if path in _STEPS and scheduler is not None:
        raise source.error(
            place, f'"{path}" cannot be varied with {scheduler}, which compares by steps'
        )
    if scheduler == "pbt":
        for fixed in _NOT_OF_A_CHECKPOINT:
            if path == fixed or path.startswith(f"{fixed}."):
                raise source.error(
                    place,
                    f'"{path}" cannot be varied with pbt: a trial that goes on from a checkpoint '
                    "of another one has to keep it",
                )
    shapes = state_shapes(config) if scheduler == "pbt" else {}
    for value in parameter.samples():
        try:
            changed = overridden(config, [f"{path}={text_of(value)}"])
        except ConfigError as error:
            inner = f"{parameter.place}.{parameter.kind}"
            is_path = "unknown field" in str(error)
            told = located(error, place if is_path else inner, source)
            if not parameter.values and ": is " in str(error) and "an integer" in str(error):
                told = ConfigError(f"{told}; give randint")
            raise told from None
        if scheduler == "pbt" and state_shapes(changed) != shapes:
            raise source.error(
                place,
                f'"{path}" cannot be varied with pbt: {text_of(value)} makes another model or '
                "optimizer, which cannot go on from a checkpoint of this one",
            )


def _check_scheduler(
    space: Space, config: PipelineConfig, total_steps: int | None, in_training: bool
) -> None:
    given, source = space.config, space.source
    if given.HasField("asha"):
        asha = given.asha
        if total_steps is None:
            raise source.error(
                "asha.max_t", "is missing, and the config does not say how many steps there are"
            )
        if asha.HasField("grace_period") and asha.grace_period >= total_steps:
            raise source.error(
                "asha.grace_period",
                f"is {asha.grace_period}; must be below the {total_steps} steps of a trial",
            )
    every = _report_steps(config, in_training and not given.HasField("pbt"))
    if given.HasField("asha") and total_steps is not None and every >= total_steps:
        field = "log_step_count_steps" if in_training else "save_checkpoints_steps"
        raise source.error(
            "asha",
            f"can end no trial: the metric is known every {every} steps, and a trial has "
            f"{total_steps}; give a smaller train_config.{field}",
        )
    if given.HasField("pbt"):
        interval = perturbation_interval(space, config)
        if total_steps is not None and max(every, interval) >= total_steps:
            raise source.error(
                "pbt.perturbation_interval",
                f"nothing would change in the {total_steps} steps of a trial: checkpoints come "
                f"every {every} steps, changes every {interval}",
            )


def _report_steps(config: PipelineConfig, in_training: bool) -> int:
    train = config.train_config
    if in_training:
        return int(train.log_step_count_steps)
    # With epochs it is not known here, and 0 means none before the end.
    if train.save_checkpoints_epochs:
        return 1
    return int(train.save_checkpoints_steps) or 2**63


def perturbation_interval(space: Space, config: PipelineConfig) -> int:
    """Returns the steps between two changes of a trial of population based training."""
    pbt = space.config.pbt
    if pbt.HasField("perturbation_interval"):
        return int(pbt.perturbation_interval)
    return max(1, int(config.train_config.save_checkpoints_steps))


def grace_period(space: Space, total_steps: int) -> int:
    """Returns the steps that each trial makes before it may be ended."""
    asha = space.config.asha
    return int(asha.grace_period) if asha.HasField("grace_period") else max(1, total_steps // 8)
