from pathlib import Path

import numpy as np

from raymon.board.terminal.frame import frame_of
from raymon.runs import Run
from raymon.strict_json import to_json
from tests.board.terminal.made_runs import make_run, window


def test_a_number_of_every_tenth_window_is_one_curve_and_a_missing_one_a_gap(
    tmp_path: Path,
) -> None:
    windows = [
        window(
            step,
            dense_gradient_norm=step if step % 100 == 0 and step != 1_500 else None,
            losses={"total_loss": None if step == 500 else 1.0},
        )
        for step in range(10, 3_010, 10)
    ]
    frame = frame_of(Run(make_run(tmp_path / "run", windows)))
    curves = {curve.name: curve.train for curve in frame.curves}
    norm = curves["dense_gradient_norm"]
    assert norm.step[np.isfinite(norm.value)].tolist() == [
        step for step in range(100, 3_100, 100) if step != 1_500
    ]
    assert np.isnan(norm.value).sum() == 1
    (place,) = np.flatnonzero(np.isnan(norm.value))
    assert 1_400 < norm.step[place] < 1_600
    loss = curves["total_loss"]
    assert loss.step[np.isnan(loss.value)].tolist() == [500]


def test_of_a_run_that_is_over_no_time_is_left(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run", [window(10)], summary={"total_steps": 500, "steps": 10})
    frame = frame_of(Run(path))
    assert (frame.step, frame.total_steps, frame.samples_per_second) == (10, 500, 50.0)
    assert np.isnan(frame.eta_s)


def test_times_of_evaluations_are_those_of_their_steps(tmp_path: Path) -> None:
    path = make_run(
        tmp_path / "run",
        [window(10), window(20)],
        scores=[{"global_step": 10, "auc": 0.5}, {"global_step": 15, "auc": 0.6}],
    )
    frame = frame_of(Run(path))
    auc = next(curve for curve in frame.curves if curve.name == "auc")
    assert auc.evaluation.time.tolist() == [1010.0, 1015.0]


def test_the_one_loss_is_not_shown_twice_and_two_are(tmp_path: Path) -> None:
    one = make_run(tmp_path / "one", [window(10, losses={"bce": 1.0, "total_loss": 1.0})])
    two = make_run(tmp_path / "two", [window(10, losses={"a": 1.0, "b": 2.0, "total_loss": 3.0})])
    names = [[curve.name for curve in frame_of(Run(path)).curves][:4] for path in (one, two)]
    assert names == [["total_loss", "auc", "samples/s", "lr_g0"], ["total_loss", "auc", "a", "b"]]


def test_what_cannot_be_read_is_a_note(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run", [window(10)])
    (path / "run.json").write_text(to_json({"status": "done", "version": 99})[:-3])
    assert frame_of(Run(path)).notes
