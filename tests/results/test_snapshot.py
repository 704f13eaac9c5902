"""A loss without a value is nowhere shown as a number."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from raymon.results import Snapshot
from raymon.sinks import RunGauges, TensorBoard, WindowLines
from raymon.sinks.terminal.progress_text import progress_line, short_suffix
from tests.sinks.snapshots import snapshot

LOSSES = st.dictionaries(
    st.sampled_from(["main", "aux", "other", "total_loss"]),
    st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf]),
    min_size=1,
)


@given(LOSSES)
def test_a_total_is_what_was_given_or_the_sum_of_all_parts(losses: dict[str, float]) -> None:
    shown = snapshot(10, losses=losses, non_finite={})
    if "total_loss" in losses:
        expected = losses["total_loss"]
    else:
        expected = sum(losses.values()) if all(map(math.isfinite, losses.values())) else math.nan
    assert shown.total_loss == expected or not (
        math.isfinite(shown.total_loss) or math.isfinite(expected)
    )
    assert list(shown.all_losses)[-1] == "total_loss"
    assert shown.all_losses.keys() == losses.keys() | {"total_loss"}


def test_no_losses_have_no_total() -> None:
    shown = snapshot(10, losses={})
    assert math.isnan(shown.total_loss)
    assert not shown.diverged
    assert "loss" not in progress_line(shown) + short_suffix(shown)
    assert shown.to_json()["losses"] == {}


def test_a_run_has_diverged_where_losses_and_not_rows_are_missing() -> None:
    nan = {"main": math.nan, "aux": 0.25}
    assert snapshot(10, losses=nan, non_finite={"main": 10}).diverged
    assert snapshot(10, losses={"main": math.inf}).diverged
    # No row weighed anything.
    assert not snapshot(10, losses=nan).diverged
    # Some steps were finite, and a total of one's own is what counts.
    assert not snapshot(10, losses={"main": 0.5}, non_finite={"main": 3}).diverged
    own = {"total_loss": 0.5, "aux": math.nan}
    assert not snapshot(10, losses=own, non_finite={"aux": 10}).diverged


@pytest.fixture(params=[math.nan, math.inf, -math.inf])
def diverged(request: pytest.FixtureRequest) -> Snapshot:
    return snapshot(
        10,
        losses={"main": request.param, "aux": 0.25},
        non_finite={"main": 10},
        metrics={"auc": request.param, "mae": 0.5},
        learning_rates=(request.param, 1e-6),
        gradient_norms={"global_gradient_norm": request.param},
    )


def test_what_has_no_value_is_a_dash_in_lines(diverged: Snapshot) -> None:
    words = progress_line(diverged).split()
    for word in ("main:-", "aux:0.25000", "total_loss:-", "auc:-", "mae:0.50000"):
        assert word in words
    assert {"lr_g0:-", "lr_g1:1e-06"} <= set(words)
    assert "loss:-" in short_suffix(diverged).split()


def test_what_has_no_value_is_null_in_files(diverged: Snapshot, tmp_path: Path) -> None:
    lines = WindowLines(tmp_path)
    lines.write(diverged)
    line = json.loads((tmp_path / "monitor" / "windows.jsonl").read_text())
    assert line["losses"] == {"main": None, "aux": 0.25, "total_loss": None}
    assert line["metrics"] == {"auc": None, "mae": 0.5}
    assert line["non_finite"] == {"main": 10}


def test_what_has_no_value_is_absent_from_curves_and_gauges(
    diverged: Snapshot, tmp_path: Path
) -> None:
    board = TensorBoard(tmp_path, ("loss", "learning_rate"))
    board.write(diverged)
    board.close()
    tags = set(EventAccumulator(str(tmp_path)).Reload().Tags()["scalars"])
    assert {"loss/aux", "metric/mae", "lr/g1"} <= tags
    assert not tags & {"loss/main", "loss/total", "metric/auc", "lr/g0", "global_gradient_norm"}
    gauges = RunGauges("run")
    gauges.write(diverged)
    shown = {(name, *(value for _, value in labels)) for name, labels in gauges.series()}
    assert ("raymon_loss", "aux") in shown
    assert ("raymon_non_finite_losses", "main") in shown
    absent = {("raymon_loss", "main"), ("raymon_loss", "total_loss"), ("raymon_metric", "auc")}
    assert not shown & absent


def test_a_mean_that_steps_are_missing_from_says_so() -> None:
    some = snapshot(10, losses={"main": 0.5, "aux": 0.25}, non_finite={"main": 3})
    line = progress_line(some)
    assert "main:0.50000(3 not finite) aux:0.25000 total_loss:0.75000(3 not finite)" in line


def test_a_total_of_ones_own_is_one_curve(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path, ("loss",))
    board.write(snapshot(10, losses={"total_loss": 0.75, "bce": 0.5, "aux": 0.25}))
    board.close()
    events = EventAccumulator(str(tmp_path)).Reload()
    tags = {tag for tag in events.Tags()["scalars"] if tag.startswith("loss/")}
    assert tags == {"loss/total", "loss/bce", "loss/aux"}
    assert events.Scalars("loss/total")[0].value == 0.75
