"""Sink: TensorBoard events, the curves of a run."""

from __future__ import annotations

import math
import time
from collections.abc import Collection
from pathlib import Path

from tensorboardX import SummaryWriter

from raymon.sinks.snapshot import Evaluation, Snapshot

EVALUATION_DIRECTORY = "eval_val"

_FLUSH_S = 1


class TensorBoard:
    """Writes snapshots into `model_dir` and evaluations into `model_dir/eval_val`.

    Tags: `loss/{name}`, `loss/total`, `lr/g{i}`, `metric/{name}`, `global_gradient_norm`,
    `{parameter}/gradient_norm`, the histograms `{parameter}` and `{parameter}/gradient`, and
    `throughput/samples_per_second`.

    Args:
        model_dir: Directory of the run.
        summaries: Which of loss and learning_rate are written; the other summaries are written
            when a snapshot has them.
    """

    def __init__(self, model_dir: Path, summaries: Collection[str]) -> None:
        self._model_dir = model_dir
        self._summaries = frozenset(summaries)
        self._train: SummaryWriter | None = None
        self._evaluation: SummaryWriter | None = None
        self._purge_step: int | None = None

    def write(self, snapshot: Snapshot) -> None:
        """Adds a point to every curve of training, at `end_step`.

        A value that is not finite leaves a gap.
        """
        if self._train is None:
            self._train = self._writer(self._model_dir)
        writer, step = self._train, snapshot.end_step
        if "loss" in self._summaries:
            for name, loss in snapshot.losses.items():
                _add(writer, f"loss/{name}", loss, step)
            _add(writer, "loss/total", snapshot.total_loss, step)
        if "learning_rate" in self._summaries:
            for i, learning_rate in enumerate(snapshot.learning_rates):
                _add(writer, f"lr/g{i}", learning_rate, step)
        for name, norm in snapshot.gradient_norms.items():
            _add(writer, name, norm, step)
        for name, value in snapshot.metrics.items():
            _add(writer, f"metric/{name}", value, step)
        _add(writer, "throughput/samples_per_second", snapshot.samples_per_second, step)
        for histogram in snapshot.histograms:
            if histogram.counts:
                writer.add_histogram_raw(
                    histogram.name,
                    min=histogram.minimum,
                    max=histogram.maximum,
                    num=sum(histogram.counts),
                    sum=histogram.sum,
                    sum_squares=histogram.sum_squares,
                    bucket_limits=list(histogram.edges[1:]),
                    bucket_counts=list(histogram.counts),
                    global_step=step,
                )

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Adds a point to every curve of evaluation."""
        if self._evaluation is None:
            self._evaluation = self._writer(self._model_dir / EVALUATION_DIRECTORY)
        for name, value in evaluation.metrics.items():
            _add(self._evaluation, f"metric/{name}", value, evaluation.step)

    def roll_back(self, step: int) -> None:
        """Begins new files that hide what older ones hold after `step`."""
        self.close()
        self._purge_step = step + 1

    def _writer(self, directory: Path) -> SummaryWriter:
        # File names have seconds; readers take files by name, and a roll-back must come after
        # what it takes back.
        suffix = f".{time.time_ns()}"
        return SummaryWriter(
            str(directory),
            purge_step=self._purge_step,
            filename_suffix=suffix,
            flush_secs=_FLUSH_S,
        )

    def close(self) -> None:
        """Writes the events that are still in memory."""
        for writer in (self._train, self._evaluation):
            if writer is not None:
                writer.close()
        self._train = self._evaluation = None


def _add(writer: SummaryWriter, tag: str, value: float, step: int) -> None:
    # Of a point that is not finite tensorboardX would say so on the terminal, without its name.
    if math.isfinite(value):
        writer.add_scalar(tag, value, step)
