"""How quantized tables change the metrics of a model on the evaluation rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from raymon.data import Feature
from raymon.errors import DataError, first_line
from raymon.models import Model
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.training.input.readers import eval_reader
from raymon.training.loop.evaluation import evaluate
from raymon.training.rank.run_controller import LocalController
from raymon.training.rank.worker_context import WorkerContext


@dataclass(frozen=True)
class Scores:
    """The scores of a model on the evaluation rows.

    Attributes:
        metrics: Metrics and losses by name; empty if there are no evaluation rows.
        why_none: Reason why there are no scores; None if there are some.
    """

    metrics: Mapping[str, float]
    why_none: str | None = None


def score(
    config: PipelineConfig, model: Model | None, features: list[Feature], step: int
) -> Scores:
    """Scores a model in this process, without mixed precision: an exported model has none.

    Args:
        config: Config of the run; `eval_config` limits the rows.
        model: Model on the CPU in evaluation mode, which it keeps; None for a part of one.
        features: Features of the model.
        step: Steps that the model has made.
    """
    if model is None:
        return Scores({}, "a tower alone has no scores")
    if not config.eval_input_path:
        return Scores({}, "the config has no eval_input_path")
    exact = PipelineConfig()
    exact.CopyFrom(config)
    exact.train_config.ClearField("mixed_precision")
    context = WorkerContext(0, 1, torch.device("cpu"), LocalController())
    model.init_metric()
    try:
        reader = eval_reader(exact, features, 0, 1)
        evaluation = evaluate(exact, model, [reader], context, lambda *_: None, step)
    except DataError as error:
        return Scores({}, first_line(error))
    finally:
        model.eval()
    return Scores(evaluation.metrics)


def changes(config: PipelineConfig, before: Scores, after: Scores) -> dict[str, Any]:
    """Returns what the card of an export says about the metrics.

    Args:
        config: Config of the run.
        before: Scores with the tables as they were trained.
        after: Scores with quantized tables.

    Returns:
        `metrics` with the value before, the value after and the change, by metric, and `of` with
        the path of the rows; or None for `metrics`, and the reason as `why_none`.
    """
    why_none = before.why_none or after.why_none
    if why_none is not None:
        return {"metrics": None, "why_none": why_none}
    metrics = {
        name: {"before": value, "after": after.metrics[name], "change": after.metrics[name] - value}
        for name, value in before.metrics.items()
    }
    return {"metrics": metrics, "of": config.eval_input_path}
