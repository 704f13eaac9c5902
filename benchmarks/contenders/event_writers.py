"""Writers of curves and histograms into TensorBoard: raymon's sink, tensorboardX's, torch's.

Each writes 24 curves a step, or one histogram a step, and closes. The writers are called as their
documentation shows, with a call for each point: `add_scalar`, `add_histogram` with the values, and
`add_histogram_raw` with counts. raymon's sink is given snapshots, as from a reporter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import tensorboardX
import torch
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from torch.utils import tensorboard

from raymon.protos.report_pb2 import Histogram
from raymon.results import Coverage, Snapshot
from raymon.sinks import TensorBoard
from raymon.wire.histogram import HistogramCounter, encode_histogram

METRICS = tuple(f"metric_{i}" for i in range(20))
POINTS = len(METRICS) + 4
"""Number of points of a step: metrics, a loss, their sum, a learning rate, samples a second."""

Write = Callable[[Path], None]


def snapshot(
    step: int, metrics: Sequence[str] = METRICS, histograms: Sequence[Histogram] = ()
) -> Snapshot:
    """Returns what a reporter publishes about a hundred steps."""
    return Snapshot(
        first_step=100 * step,
        end_step=100 * (step + 1),
        epoch=0,
        samples=409_600,
        samples_total=409_600 * (step + 1),
        seconds=1.0,
        losses={"binary_cross_entropy": 0.5 / (step + 1)},
        non_finite={},
        metrics={name: 0.5 + i / 100 for i, name in enumerate(metrics)},
        metric_bounds=dict.fromkeys(metrics, 1e-6),
        learning_rates=(0.001,),
        gradient_norms={},
        coverage=Coverage(2, 2, 0.1),
        histograms=histograms,
    )


def scalars(steps: int) -> dict[str, Write]:
    """Returns the writers of the curves of `steps` steps, by contender."""

    def raymon(directory: Path) -> None:
        sink = TensorBoard(directory, ("loss", "learning_rate"))
        for step in range(steps):
            sink.write(snapshot(step))
        sink.close()

    def peer(writer_class: Any) -> Write:
        def write(directory: Path) -> None:
            writer = writer_class(str(directory))
            for step in range(steps):
                published = snapshot(step)
                points = {f"metric/{name}": value for name, value in published.metrics.items()}
                points["loss/binary_cross_entropy"] = published.losses["binary_cross_entropy"]
                points["loss/total"] = published.total_loss
                points["lr/g0"] = published.learning_rates[0]
                points["throughput/samples_per_second"] = published.samples_per_second
                for tag, value in points.items():
                    writer.add_scalar(tag, value, published.end_step)
            writer.close()

        return write

    return _all(raymon, peer)


def histograms(steps: int, values: torch.Tensor) -> dict[str, Write]:
    """Returns the writers of a histogram in each of `steps` steps, which count `values` for it."""

    def raymon(directory: Path) -> None:
        sink, counter = TensorBoard(directory, ()), HistogramCounter(torch.device("cpu"))
        for step in range(steps):
            counted = encode_histogram("weight", **counter.count(values))
            sink.write(snapshot(step, (), [counted]))
        sink.close()

    def peer(writer_class: Any) -> Write:
        def write(directory: Path) -> None:
            writer = writer_class(str(directory))
            for step in range(steps):
                writer.add_histogram("weight", values, step)
            writer.close()

        return write

    return _all(raymon, peer)


def counted(steps: int, buckets: int) -> dict[str, Write]:
    """Returns the writers of a histogram of `buckets` counts in each of `steps` steps."""
    edges = [float(edge) for edge in range(buckets + 1)]
    histogram = Histogram(
        name="weight",
        minimum=edges[0],
        maximum=edges[-1],
        sum=buckets * buckets / 2,
        sum_squares=buckets**3 / 3,
        edges=edges,
        counts=[1] * buckets,
    )

    def raymon(directory: Path) -> None:
        sink = TensorBoard(directory, ())
        for step in range(steps):
            sink.write(snapshot(step, (), [histogram]))
        sink.close()

    def peer(writer_class: Any) -> Write:
        def write(directory: Path) -> None:
            writer = writer_class(str(directory))
            for step in range(steps):
                writer.add_histogram_raw(
                    "weight",
                    min=histogram.minimum,
                    max=histogram.maximum,
                    num=buckets,
                    sum=histogram.sum,
                    sum_squares=histogram.sum_squares,
                    bucket_limits=edges[1:],
                    bucket_counts=[1.0] * buckets,
                    global_step=step,
                )
            writer.close()

        return write

    return _all(raymon, peer)


def points_in(directory: Path, kind: str) -> int:
    """Returns the number of points, `scalar` or `histogram`, in the files of a directory."""
    found = 0
    for path in directory.glob("events.out.tfevents.*"):
        for event in EventFileLoader(str(path)).Load():
            # The loader turns the simple values and histograms of older writers into tensors.
            found += sum(
                value.metadata.plugin_data.plugin_name == f"{kind}s"
                for value in event.summary.value
            )
    return found


def _all(raymon: Write, peer: Callable[[Any], Write]) -> dict[str, Write]:
    return {
        "raymon": raymon,
        "tensorboardX": peer(tensorboardX.SummaryWriter),
        "torch": peer(tensorboard.SummaryWriter),
    }
