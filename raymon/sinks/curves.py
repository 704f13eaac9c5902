"""The names and values of the curves of a run, the same in TensorBoard and in every tracker."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Set

from raymon.config import TOTAL_LOSS
from raymon.config import loss_names as names_of
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.results import Evaluation, Snapshot

SUMMARIES = frozenset({"loss", "learning_rate"})
"""The summaries of a run whose config names no others."""


def training_curves(
    snapshot: Snapshot, summaries: Collection[str] = SUMMARIES
) -> Iterator[tuple[str, float]]:
    """Yields the tag and the value of each curve of training.

    Args:
        snapshot: Numbers of some steps.
        summaries: Which of `loss` and `learning_rate` there are; other numbers are there if the
            snapshot has them.
    """
    if "loss" in summaries:
        for name, loss in snapshot.all_losses.items():
            yield loss_tag(name), loss
    if "learning_rate" in summaries:
        yield from ((f"lr/g{i}", rate) for i, rate in enumerate(snapshot.learning_rates))
    yield from snapshot.gradient_norms.items()
    yield from ((f"metric/{name}", value) for name, value in snapshot.metrics.items())
    yield from ((f"scalar/{name}", value) for name, value in snapshot.scalars.items())
    yield "throughput/samples_per_second", snapshot.samples_per_second
    yield from ((f"phase/{name}", share) for name, share in snapshot.anatomy.shares.items())
    if snapshot.host_bytes > 0:
        yield "memory/host_bytes", snapshot.host_bytes
    for name, number in snapshot.device_figures.items():
        if number is not None:
            yield f"memory/{name}" if name.endswith("_bytes") else name, number
    if snapshot.loss_scale is not None or snapshot.skipped_steps:
        yield "grad_scaler/skipped_steps", snapshot.skipped_steps
    if snapshot.loss_scale is not None:
        yield "grad_scaler/loss_scale", snapshot.loss_scale
    for name, table in snapshot.tables.items():
        for figure, value in table.figures().items():
            yield f"table/{name}/{figure}", value


def evaluation_curves(evaluation: Evaluation, losses: Set[str]) -> dict[str, float]:
    """Returns the tag and the value of each curve of evaluation.

    Args:
        evaluation: Scores of a model.
        losses: Names of the losses, which the scores have among the metrics.
    """
    return {
        loss_tag(name) if name in losses else f"metric/{name}": value
        for name, value in evaluation.metrics.items()
    }


def loss_tag(name: str) -> str:
    """Returns the tag of a loss."""
    return "loss/total" if name == TOTAL_LOSS else f"loss/{name}"


def loss_names(config: PipelineConfig) -> frozenset[str]:
    """Returns the names that the losses of a run have among the scores of an evaluation."""
    return frozenset(names_of(config))
