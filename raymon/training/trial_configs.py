"""What a sweep asks of the configs of its runs before any of them begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from raymon.config import loss_names, named_train_metrics, override, pipeline_tasks
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.training.checkpoint.train_state import model_tensors
from raymon.training.prepare import build_meta_model, check_config, plan_run, with_absolute_paths


def overridden(config: PipelineConfig, overrides: Sequence[str]) -> PipelineConfig:
    """Returns a config with further overrides, with everything checked that needs no data.

    Args:
        config: A loaded config.
        overrides: Overrides `FIELD=VALUE`.

    Raises:
        ConfigError: Something is wrong with it.
    """
    result = override(config, overrides)
    check_config(result)
    return result


def planned_steps(config: PipelineConfig) -> int | None:
    """Checks the data of a config, and returns the steps of a run; None if they are not known.

    Args:
        config: A checked config.

    Raises:
        UserError: The data is missing, or does not fit the config.
    """
    return plan_run(config, {}, is_checked=True).total_steps


def anywhere(config: PipelineConfig) -> PipelineConfig:
    """Returns the config with paths that hold in any working directory.

    Raises:
        UserError: A path cannot be used.
    """
    return with_absolute_paths(config)


def state_shapes(config: PipelineConfig) -> Mapping[str, object]:
    """Returns what a checkpoint must have in common with a run that goes on from it.

    Args:
        config: A checked config.

    Returns:
        Shapes of tensors of the model by name, and the kinds of the optimizers.
    """
    model = build_meta_model(config, check_config(config))
    train = config.train_config
    return {
        **{name: tuple(value.shape) for name, value in model_tensors(model).items()},
        "dense_optimizer": train.dense_optimizer.WhichOneof("optimizer"),
        "sparse_optimizer": train.sparse_optimizer.WhichOneof("optimizer"),
    }


def train_metric_names(config: PipelineConfig) -> list[str]:
    """Returns the names of the decayed train metrics and of the losses of a run."""
    metrics = named_train_metrics(pipeline_tasks(config))
    return [*(metric.name for metric in metrics), *loss_names(config)]
