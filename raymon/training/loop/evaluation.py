"""The scores of a model on the evaluation data, over all workers."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import islice

import torch

from raymon.config import TOTAL_LOSS, total_of
from raymon.data import Batch
from raymon.errors import DataError
from raymon.models import Model
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.results import Evaluation
from raymon.training.input.inputs import EvalReader
from raymon.training.optim.precision import autocast
from raymon.training.rank.worker_context import WorkerContext

Progress = Callable[[int, int, float], None]
"""Called with the steps done, the steps in all (0 if unknown), and the seconds so far."""


def evaluate(
    config: PipelineConfig,
    model: Model,
    readers: Sequence[EvalReader],
    context: WorkerContext,
    progress: Progress,
    step: int,
) -> Evaluation:
    """Scores the model; every rank gets the same numbers.

    Args:
        config: Pipeline config; `eval_config` limits the steps and sets how often there is
            progress.
        model: Model on its device. Afterwards it is in training mode again.
        readers: Readers of the rows of this rank, or of each rank that this one stands in for, in
            order.
        context: The world of this rank.
        progress: Called every `eval_config.log_step_count_steps` steps.
        step: Steps that the model has made.

    Returns:
        Metrics by name, then the losses (weighted means over all rows) and `total_loss`; with the
        bounds of the metrics, their further counts, errors in their input, and why some have no
        value; on rank 0 also with what plots show.

    Raises:
        DataError: There are no rows.
    """
    pin_memory = config.data_config.pin_memory
    steps = [_steps(config, reader) for reader in readers]
    total = 0 if None in steps else sum(each or 0 for each in steps)
    began, done = time.monotonic(), 0
    # By rank, so that one rank in the place of several adds up in the same order as they would.
    sums = [_LossSums() for _ in readers]
    model.reset_metric()
    model.eval()
    with torch.inference_mode():
        for reader, most, losses in zip(readers, steps, sums, strict=True):
            with (
                closing(reader.epoch(0)) as epoch,
                closing(context.on_device(islice(epoch, most), _itself, pin_memory)) as pairs,
            ):
                batches = (batch for _, batch in pairs)
                for batch in batches if model.sharded is None else _together(batches, context):
                    _score(config, model, batch, context, losses)
                    done += 1
                    # The phase begins anew, so that its length says for how long nothing is done.
                    context.clock.enter(context.clock.now.phase)
                    if done % config.eval_config.log_step_count_steps == 0:
                        progress(done, total, time.monotonic() - began)
        if not context.sum(torch.tensor(sum(losses.rows for losses in sums))):
            raise DataError("the evaluation data gave no rows; an evaluation needs some")
        with warnings.catch_warnings():
            # A rank without rows has updated nothing, but still computes the numbers of all ranks.
            warnings.filterwarnings("ignore", message="The ``compute`` method of metric")
            # One rank alone publishes them.
            model.draws_curves = context.rank == 0
            metrics = {name: float(value) for name, value in model.compute_metric().items()}
        bounds = {name: float(value) for name, value in model.metric_bounds().items()}
        input_errors = model.metric_input_errors()
        details, no_value = model.metric_details(), model.metric_no_value()
        without_value = model.metric_without_value()
        curves, groups = model.metric_curves(), model.metric_groups()
    model.reset_metric()
    model.train()
    no_value = {name: why for name, why in no_value.items() if math.isnan(metrics[name])}
    # A custom metric may be infinite.
    infinite = [name for name, value in metrics.items() if math.isinf(value)]
    no_value.update((name, f"it comes out as {metrics[name]}") for name in infinite)
    metrics.update(dict.fromkeys(infinite, math.nan))
    scores = {**metrics, **_means(sums, context)}
    return Evaluation(
        step,
        scores,
        bounds,
        input_errors,
        details,
        no_value,
        without_value & set(no_value),
        time.time(),
        curves,
        groups,
        time.monotonic() - began,
    )


def _steps(config: PipelineConfig, reader: EvalReader) -> int | None:
    steps = reader.steps_per_epoch
    if not config.eval_config.HasField("num_steps"):
        return steps
    most = int(config.eval_config.num_steps)
    return most if steps is None else min(steps, most)


def _itself(batch: Batch) -> Batch:
    return batch


def _score(
    config: PipelineConfig,
    model: Model,
    batch: Batch,
    context: WorkerContext,
    losses: _LossSums,
) -> None:
    # A rank without rows still needs the names of the losses of the others, and has to take part in
    # lookups of sharded tables.
    if not batch.size and losses.rows and model.sharded is None:
        return
    # With the losses, as in training: a model of one's own may give them half precision.
    with autocast(config.train_config, context.device):
        predictions = model.predict(batch)
        model.check_predictions(predictions, batch)
        found = model.loss(predictions, batch)
    if batch.size:
        model.update_metric(predictions, batch)
        losses.add(found, model.batch_weight(batch), batch.size)
    elif not losses.rows:
        losses.add_none(found)


def _together(batches: Iterator[Batch], context: WorkerContext) -> Iterator[Batch]:
    """Yields batches until no rank has any; a rank that has no more gets some without rows."""
    batch = None
    while True:
        before, batch = batch, next(batches, None)
        if context.all_agree(batch is None):
            return
        if batch is None:
            assert before is not None  # a rank without rows has a batch without rows
            batch = before.without_rows()
        yield batch


class _LossSums:
    """Sums of loss * weight and of weight, by loss."""

    def __init__(self) -> None:
        self.sums: dict[str, torch.Tensor] = {}
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
            self.sums[name] = self.sums[name] + pair if name in self.sums else pair

    def add_none(self, losses: dict[str, torch.Tensor]) -> None:
        for name, loss in losses.items():
            self.sums[name] = torch.zeros(2, dtype=torch.float64, device=loss.device)

    def stacked(self) -> torch.Tensor:
        """Returns the sums of loss * weight and of weight, float64 `[losses, 2]`."""
        return torch.stack(list(self.sums.values()))


def _means(sums: Sequence[_LossSums], context: WorkerContext) -> dict[str, float]:
    """Returns the weighted means of the losses over all ranks, by name."""
    own = sums[0].stacked()
    for other in sums[1:]:
        own = own + other.stacked()
    total = context.sum(own)
    means = (total[:, 0] / total[:, 1]).tolist()
    named = dict(zip(sums[0].sums, means, strict=True))
    return {**named, TOTAL_LOSS: total_of(named)}
