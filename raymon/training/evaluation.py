"""The scores of a model on the evaluation data, over all workers."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from contextlib import closing
from itertools import islice

import torch

from raymon.data import DataReader, DatasetReader
from raymon.errors import DataError
from raymon.models import Model
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.sinks import Evaluation
from raymon.training.precision import autocast
from raymon.training.worker_context import WorkerContext

Progress = Callable[[int, int, float], None]
"""Called with the steps done, the steps in all or 0 where nobody knows, and the seconds so far."""

EvalReader = DataReader | DatasetReader


def evaluate(
    config: PipelineConfig,
    model: Model,
    reader: EvalReader,
    context: WorkerContext,
    progress: Progress,
    step: int,
) -> Evaluation:
    """Scores the model; every rank gets the same numbers.

    Args:
        config: `eval_config` limits the steps and says how often there is progress.
        model: On its device. It is in training mode again afterwards.
        reader: The rows of this rank.
        context: The world of this rank.
        progress: Called every `eval_config.log_step_count_steps` steps.
        step: Steps that the model has made.

    Returns:
        Metrics by name, then the losses (weighted means over all rows) and `total_loss`; with
        the bounds of the metrics, and what was wrong with their input.

    Raises:
        DataError: There are no rows.
    """
    steps = reader.steps_per_epoch
    if config.eval_config.HasField("num_steps"):
        most = config.eval_config.num_steps
        steps = most if steps is None else min(steps, most)
    began = time.monotonic()
    losses = _LossSums()
    model.reset_metric()
    model.eval()
    with closing(reader.epoch(0)) as batches, torch.inference_mode():
        for done, batch in enumerate(islice(batches, steps), 1):
            moved = context.move(batch, config.data_config.pin_memory)
            if batch.size:
                with autocast(config.train_config, context.device):
                    predictions = model.predict(moved)
                model.update_metric(predictions, moved)
                losses.add(model.loss(predictions, moved), model.batch_weight(moved), batch.size)
            elif not losses.rows:
                # A rank without rows knows the losses of the others all the same.
                losses.add_none(model.loss(model.predict(moved), moved))
            if done % config.eval_config.log_step_count_steps == 0:
                progress(done, steps or 0, time.monotonic() - began)
        if not context.sum(torch.tensor(losses.rows)):
            raise DataError("the evaluation data gave no rows; an evaluation needs some")
        with warnings.catch_warnings():
            # A rank without rows has updated nothing, and has the numbers of all the same.
            warnings.filterwarnings("ignore", message="The ``compute`` method of metric")
            metrics = {name: float(value) for name, value in model.compute_metric().items()}
        bounds = {name: float(value) for name, value in model.metric_bounds().items()}
        input_errors = model.metric_input_errors()
    model.reset_metric()
    model.train()
    return Evaluation(step, {**metrics, **losses.means(context)}, bounds, input_errors)


class _LossSums:
    """Sums of loss * weight and of weight, by loss."""

    def __init__(self) -> None:
        self._sums: dict[str, torch.Tensor] = {}
        self.rows = 0

    def add(
        self,
        losses: dict[str, torch.Tensor],
        weights: dict[str, torch.Tensor] | float,
        rows: int,
    ) -> None:
        self.rows += rows
        for name, loss in losses.items():
            value = loss.double()
            if isinstance(weights, float):
                weight = torch.full_like(value, weights)
            else:
                weight = weights[name].double()
            pair = torch.stack([value * weight, weight])
            self._sums[name] = self._sums[name] + pair if name in self._sums else pair

    def add_none(self, losses: dict[str, torch.Tensor]) -> None:
        for name, loss in losses.items():
            self._sums[name] = torch.zeros(2, dtype=torch.float64, device=loss.device)

    def means(self, context: WorkerContext) -> dict[str, float]:
        """By name, over all ranks, which have the same names."""
        total = context.sum(torch.stack(list(self._sums.values())))
        means = (total[:, 0] / total[:, 1]).tolist()
        named = dict(zip(self._sums, means, strict=True))
        return {**named, "total_loss": sum(means)}
