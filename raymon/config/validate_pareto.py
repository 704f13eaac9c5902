"""Checks of weights of losses that each step finds."""

from __future__ import annotations

from raymon.config.names import named_losses
from raymon.config.rules import Rules
from raymon.config.tasks import pipeline_tasks, towers_of
from raymon.protos.pipeline_pb2 import PipelineConfig


def validate_pareto(config: PipelineConfig, rules: Rules) -> None:
    """Checks `use_pareto_loss_weight`, and the least weights of towers.

    Args:
        config: Config of the pipeline.
        rules: Rules of its `model_config`.

    Raises:
        ConfigError: Something is wrong; the message has the first such thing.
    """
    name, least = "use_pareto_loss_weight", "pareto_min_loss_weight"
    model = config.model_config
    is_used, kind = model.use_pareto_loss_weight, str(model.WhichOneof("model"))
    losses = named_losses(pipeline_tasks(config))
    is_custom = model.HasField("custom")
    rules.warn(is_used and not is_custom and len(losses) < 2, name, "there is one loss alone")
    rules.require(
        not is_used or not config.train_config.compile,
        name,
        "needs the gradient of each loss, which train_config.compile does not keep; leave one out",
    )
    total = 0.0
    for index, tower in enumerate(towers_of(model)):
        own = rules.inner(kind).inner_item("task_towers", index)
        own.warn(tower.HasField(least) and not is_used, least, f"{name} is not set")
        own.within(least, 0, 1)
        total += tower.pareto_min_loss_weight * len(tower.losses)
        what = "with the losses before the least weights add up to"
        own.require(total < 1, least, f"{what} {total:g}; they must stay below 1")
