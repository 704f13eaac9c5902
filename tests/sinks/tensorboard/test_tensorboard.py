import os
import time
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from raymon.results import Anatomy, DeviceNumbers, Evaluation, TableHealth
from raymon.sinks import BackgroundSink, TensorBoard
from raymon.wire.histogram import HistogramCounter, encode_histogram
from tests.sinks.sinks import wait_for
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


def test_figures_of_tables_that_have_a_value_are_on_curves(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path, [])
    table = TableHealth(100, lookups=50, distinct_rows=20, touched_share=0.4, counts={"evicted": 3})
    board.write(snapshot(10, tables={"user": table}))
    board.close()
    events = read(tmp_path)
    found = {tag: events.Scalars(tag)[0].value for tag in events.Tags()["scalars"] if "user" in tag}
    assert found == {
        "table/user/lookups": 50,
        "table/user/distinct_rows": 20,
        "table/user/touched_share": pytest.approx(0.4),
        "table/user/evicted": 3,
    }


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


def points(directory: Path, tag: str) -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in read(directory).Scalars(tag)]


def test_the_shares_of_phases_have_curves(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path, [])
    board.write(snapshot(10, anatomy=Anatomy(shares={"forward": 0.75, "peers": 0.25})))
    board.write(snapshot(20, anatomy=Anatomy(shares={"forward": 1.0})))
    assert points(tmp_path, "phase/forward") == [(10, 0.75), (20, 1.0)]
    assert points(tmp_path, "phase/peers") == [(10, 0.25)]


def test_memory_has_curves_where_it_was_measured(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path, [])
    board.write(snapshot(10, host_bytes=3 << 30))
    board.write(snapshot(20, host_bytes=3 << 30, device=DeviceNumbers(1 << 30, 5, 6, 150, 2)))
    board.write(snapshot(30, host_bytes=3 << 30, device=DeviceNumbers(1 << 20, 7, 8)))
    assert points(tmp_path, "memory/host_bytes") == [(n, 3 << 30) for n in (10, 20, 30)]
    assert points(tmp_path, "memory/device_bytes") == [(20, 1 << 30), (30, 1 << 20)]
    assert points(tmp_path, "memory/device_allocated_bytes") == [(20, 5), (30, 7)]
    assert points(tmp_path, "memory/device_reserved_bytes") == [(20, 6), (30, 8)]
    assert points(tmp_path, "device_utilization") == [(20, 0.75)]


def test_steps_that_fp16_skips_have_curves_in_fp16_alone(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path, [])
    board.write(snapshot(10))
    board.write(snapshot(20, skipped_steps=2, loss_scale=16384.0))
    board.write(snapshot(30, loss_scale=32768.0))
    assert points(tmp_path, "grad_scaler/skipped_steps") == [(20, 2), (30, 0)]
    assert points(tmp_path, "grad_scaler/loss_scale") == [(20, 16384.0), (30, 32768.0)]


def test_a_value_that_is_not_finite_leaves_a_gap(tmp_path: Path, capfd) -> None:
    board = TensorBoard(tmp_path, ["loss"])
    for step, loss in ((10, 1.0), (20, float("nan")), (30, 3.0)):
        board.write(snapshot(step, losses={"bce": loss}))
    assert points(tmp_path, "loss/bce") == [(10, 1.0), (30, 3.0)]
    assert capfd.readouterr() == ("", "")


def test_a_point_can_be_read_as_soon_as_it_is_written(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path, ["loss"])
    for step in (10, 20, 30):
        board.write(snapshot(step, losses={"bce": 1.0}))
        assert points(tmp_path, "loss/bce")[-1] == (step, 1.0)


def test_points_after_a_roll_back_replace_the_old_ones(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path, ["loss"])
    for step in (10, 20, 30):
        board.write(snapshot(step, losses={"bce": 1.0}))
    board.roll_back(20, 20)
    board.write(snapshot(30, losses={"bce": 2.0}))
    board.close()
    assert points(tmp_path, "loss/bce") == [(10, 1.0), (20, 1.0), (30, 2.0)]


def test_training_and_evaluation_go_back_to_steps_of_their_own(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path, ["loss"])
    for step in (10, 20, 30):
        board.write(snapshot(step, losses={"bce": 1.0}))
        board.write_evaluation(Evaluation(step, {"auc": 0.5}))
    board.roll_back(20, 19)
    # Also where nothing has been written since.
    assert points(tmp_path, "loss/bce") == [(10, 1.0), (20, 1.0)]
    assert points(tmp_path / "eval_val", "metric/auc") == [(10, 0.5)]


def test_a_roll_back_of_nothing_makes_no_file(tmp_path: Path) -> None:
    TensorBoard(tmp_path, []).roll_back(0, -1)
    assert list(tmp_path.iterdir()) == []


def test_a_roll_back_of_another_process_hides_its_points_whatever_its_clock_said(
    tmp_path: Path,
) -> None:
    now = time.time()
    board = TensorBoard(tmp_path, ["loss"], clock=lambda: now + 3600)
    for step in (10, 20):
        board.write(snapshot(step, losses={"bce": 1.0}))
    board = TensorBoard(tmp_path, ["loss"], clock=lambda: now)
    board.roll_back(10, 10)
    board.write(snapshot(20, losses={"bce": 2.0}))
    assert points(tmp_path, "loss/bce") == [(10, 1.0), (20, 2.0)]


def test_a_write_that_fails_half_way_leaves_no_point(tmp_path: Path, full_disk) -> None:
    board = TensorBoard(tmp_path, ["loss"])
    board.write(snapshot(10, losses={"bce": 1.0}))
    full_disk[0] = 1
    with pytest.raises(OSError, match="No space left"):
        board.write(snapshot(20, losses={"bce": 2.0}))
    assert points(tmp_path, "loss/bce") == [(10, 1.0)]


def test_a_write_that_is_tried_again_puts_one_point_on_each_curve(
    tmp_path: Path, full_disk, monkeypatch
) -> None:
    sink = BackgroundSink(TensorBoard(tmp_path, ["loss"]), tries=3, retry_s=0.001)
    for step in (10, 20):
        sink.write(snapshot(step, losses={"bce": 1.0}))
    sink.roll_back(10, 10)
    wait_for(lambda: len(list(tmp_path.iterdir())) == 2)
    reader = read(tmp_path)
    really_cut = os.truncate

    def cut(path: Path, size: int) -> None:
        reader.Reload()  # somebody reads while half is there
        really_cut(path, size)

    monkeypatch.setattr(os, "truncate", cut)
    full_disk[0] = 2
    sink.write(snapshot(20, losses={"bce": 2.0}))
    sink.write(snapshot(30, losses={"bce": 3.0}))
    sink.close()
    assert (full_disk, sink.failures, sink.take_notices()) == ([0], 0, [])
    expected = [(10, 1.0), (20, 2.0), (30, 3.0)]
    assert points(tmp_path, "loss/bce") == points(tmp_path, "loss/total") == expected
    seen = reader.Reload().Scalars("loss/bce")
    assert [(point.step, point.value) for point in seen] == expected


def test_a_full_disk_is_told(tmp_path: Path, full_disk) -> None:
    sink = BackgroundSink(TensorBoard(tmp_path, ["loss"]), tries=3, retry_s=0.001)
    full_disk[0] = 3
    sink.write(snapshot(10))
    sink.close()
    told = "TensorBoard: OSError: [Errno 28] No space left on device (given up after 3 tries)"
    assert sink.take_notices() == [told]
    (file,) = tmp_path.iterdir()
    assert file.read_bytes() == b""


def test_a_disk_that_stays_full_is_not_filled_with_empty_files(tmp_path: Path, full_disk) -> None:
    board = TensorBoard(tmp_path, ["loss"])
    board.write(snapshot(10, losses={"bce": 1.0}))
    full_disk[0] = 100
    for _ in range(50):
        with pytest.raises(OSError, match="No space left"):
            board.roll_back(5, 5)
        with pytest.raises(OSError, match="No space left"):
            board.write(snapshot(20))
    assert len(list(tmp_path.iterdir())) == 2
    board.roll_back(5, 5)
    board.write(snapshot(10, losses={"bce": 2.0}))
    assert points(tmp_path, "loss/bce") == [(10, 2.0)]
