from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from raymon.monitor.histogram import HistogramCounter, encode_histogram
from raymon.sinks import Evaluation, TensorBoard
from tests.sinks.snapshots import snapshot


def read(directory: Path) -> EventAccumulator:
    events = EventAccumulator(str(directory), size_guidance={"histograms": 0, "scalars": 0})
    return events.Reload()


def test_scalars_have_the_tags_that_people_know(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path, ["loss", "learning_rate"])
    norms = {"global_gradient_norm": 1.5, "w/gradient_norm": 0.5}
    board.write(snapshot(10, gradient_norms=norms))
    board.write_evaluation(Evaluation(10, {"auc": 0.75}))
    board.close()
    events = read(tmp_path)
    expected = {
        "loss/binary_cross_entropy": 0.52341,
        "loss/total": 0.52341,
        "lr/g0": 0.001,
        "metric/auc": 0.71234,
        "global_gradient_norm": 1.5,
        "w/gradient_norm": 0.5,
        "throughput/samples_per_second": 4000.0,
    }
    assert set(events.Tags()["scalars"]) == set(expected)
    for tag, value in expected.items():
        (point,) = events.Scalars(tag)
        assert (point.step, point.value) == (10, pytest.approx(value))
    (point,) = read(tmp_path / "eval_val").Scalars("metric/auc")
    assert (point.step, point.value) == (10, 0.75)


def test_a_histogram_has_the_counts_and_moments_of_its_values(tmp_path: Path) -> None:
    values = torch.randn(1000, generator=torch.Generator().manual_seed(0))
    counted = HistogramCounter(torch.device("cpu")).count(values)
    board = TensorBoard(tmp_path, [])
    board.write(snapshot(10, histograms=[encode_histogram("w/gradient", **counted)]))
    board.close()
    (event,) = read(tmp_path).Histograms("w/gradient")
    histogram = event.histogram_value
    assert sum(histogram.bucket) == histogram.num == 1000
    assert histogram.min == pytest.approx(values.min().item())
    assert histogram.sum == pytest.approx(values.double().sum().item())


def test_points_after_a_roll_back_replace_the_old_ones(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path, ["loss"])
    for step in (10, 20, 30):
        board.write(snapshot(step, losses={"bce": 1.0}))
    board.roll_back(20)
    board.write(snapshot(30, losses={"bce": 2.0}))
    board.close()
    points = read(tmp_path).Scalars("loss/bce")
    assert [(point.step, point.value) for point in points] == [(10, 1.0), (20, 1.0), (30, 2.0)]
