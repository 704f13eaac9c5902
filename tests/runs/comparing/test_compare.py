"""A difference of two runs is clear only if it is larger than what is known of its error."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from raymon import Run
from raymon.runs import Score, ScoreDifference, compare_runs
from raymon.storage import to_json
from tests.runs.comparing.test_standard_errors import curves_of, delong, drawn
from tests.runs.written import write_evaluation, write_summary, write_windows

CONFIG = 'model_dir: "{}" eval_input_path: "e" train_config {{ num_steps: {} }}'


def write(run: Path, scores: np.ndarray, labels: np.ndarray, steps: int = 10) -> Run:
    auc = delong(scores, labels)[0]
    write_windows(run, *range(10, 110, 10))
    write_evaluation(
        run,
        100,
        metrics={"auc": auc, "grouped_auc": auc},
        metric_bounds={"auc": 1e-4},
        curves={"auc": curves_of(scores, labels)},
    )
    write_summary(
        run,
        best_checkpoint=str(run / "model.ckpt-100"),
        best_metrics={"auc": auc},
        best_metric_bounds={"auc": 1e-4},
    )
    (run / "pipeline.config").write_text(CONFIG.format(run, steps))
    return Run(run)


@pytest.fixture
def runs(tmp_path: Path) -> list[Run]:
    rng = np.random.default_rng(0)
    scores, labels = drawn(5000, rng)
    worse = 1 / (1 + np.exp(-(np.log(scores / (1 - scores)) + rng.normal(0, 3, 5000))))
    return [
        write(tmp_path / "a", scores, labels),
        write(tmp_path / "b", scores, labels, steps=20),
        write(tmp_path / "c", worse, labels),
    ]


def test_a_difference_adds_bounds_and_squares_of_errors() -> None:
    found = ScoreDifference.between(Score(0.7, 0.01, 0.03), Score(0.9, 0.02, 0.04))
    assert found.difference == pytest.approx(0.2)
    assert found.bound == pytest.approx(0.03)
    assert found.independent_error == pytest.approx(0.05)
    assert found.uncertainty == pytest.approx(0.13)
    assert found.clear is True
    assert ScoreDifference.between(Score(0.8, 0.0, 0.05), Score(0.9, 0.0, 0.05)).clear is False


@pytest.mark.parametrize("errors", [(None, 0.1), (0.1, None), (None, None)])
def test_without_an_error_no_difference_is_clear(errors: tuple[float | None, float | None]) -> None:
    found = ScoreDifference.between(Score(0.0, 0.0, errors[0]), Score(1e9, 0.0, errors[1]))
    assert (found.uncertainty, found.clear) == (None, None)


def test_runs_differ_in_their_configs_and_scores(runs: list[Run]) -> None:
    found = compare_runs(runs)
    assert [(each.field, each.values) for each in found.fields] == [
        ("train_config.num_steps", ("10", "20", "10"))
    ]
    assert found.same_data is True
    rows = {row.name: row for row in found.rows}
    for name in ("eval:metrics.auc", "best:metrics.auc"):
        first, same, worse = rows[name].differences
        assert first is None
        assert same is not None
        assert worse is not None
        assert (same.difference, same.clear) == (0, False)
        assert (worse.difference < -0.05, worse.clear) == (True, True)
        assert worse.bound == pytest.approx(2e-4)
        errors = [score.standard_error for score in rows[name].scores if score is not None]
        both = math.hypot(errors[0] or math.nan, errors[2] or math.nan)
        assert worse.independent_error == pytest.approx(both)
    unknown = rows["eval:metrics.grouped_auc"].differences[2]
    assert unknown is not None
    assert (unknown.difference < 0, unknown.clear) == (True, None)
    assert rows["losses.total_loss"].scores[0] == Score(0.52341, 0.0, 0.0, 100)
    assert to_json(found.to_json())


def test_where_rows_have_weights_the_error_is_not_known(runs: list[Run]) -> None:
    for run in runs:
        path = Path(str(run.path)) / "pipeline.config"
        path.write_text(path.read_text() + ' data_config { sample_weight_fields: "w" }')
    rows = {row.name: row for row in compare_runs(runs).rows}
    assert all(d is None or d.clear is None for d in rows["eval:metrics.auc"].differences)


def test_runs_without_anything_are_compared_too(tmp_path: Path, runs: list[Run]) -> None:
    write_summary(tmp_path / "empty")
    found = compare_runs([runs[0], Run(tmp_path / "empty")])
    assert found.same_data is None
    assert all(row.scores[1] is None and row.differences[1] is None for row in found.rows)
    assert found.notes == (f"{tmp_path}/empty: has no config",)
