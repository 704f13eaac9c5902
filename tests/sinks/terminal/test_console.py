import io
import logging

import pytest
from rich.console import Console as RichConsole

from raymon.results import (
    BACKWARD,
    CHECKPOINT,
    EVALUATION,
    AttemptBegan,
    Coverage,
    Evaluation,
    EvaluationProgress,
    Published,
    Stall,
)
from raymon.sinks import Console
from raymon.sinks.terminal.progress_text import progress_line
from tests.sinks.snapshots import snapshot


@pytest.fixture
def lines(caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("raymon"), "propagate", True)
    caplog.set_level(logging.INFO, logger="raymon")
    return lambda: [record.getMessage() for record in caplog.records]


def test_a_progress_line_reads_as_people_know_it() -> None:
    assert progress_line(snapshot(300)) == (
        "Training Epoch 0: 300it [20.00it/s] lr_g0:0.00100 binary_cross_entropy:0.52341 "
        "total_loss:0.52341 auc:0.71234 samples/s:4,000 ranks:2/2"
    )


def test_a_bound_is_shown_where_it_matters() -> None:
    assert "auc:0.71234(±0.039)" in progress_line(snapshot(300, metric_bounds={"auc": 0.039}))


def test_missing_ranks_show() -> None:
    assert "ranks:1/2" in progress_line(snapshot(300, coverage=Coverage(1, 2, 12.0)))
    line = progress_line(snapshot(300, coverage=Coverage(1, 2, 12.0, (1,))))
    assert line.endswith("ranks:1/2 (without 1)")
    line = progress_line(snapshot(300, coverage=Coverage(80, 100, 12.0, (3, 4))))
    assert line.endswith("ranks:80/100 (without 3, 4 and 18 more)")


def test_while_no_step_is_made_a_line_has_no_rate() -> None:
    late = snapshot(300, coverage=Coverage(1, 2, 34.0, (1,)), stalled_s=34.2)
    assert progress_line(late) == (
        "Training Epoch 0: 300it [no step for 34 s] lr_g0:0.00100 binary_cross_entropy:0.52341 "
        "total_loss:0.52341 auc:0.71234 ranks:1/2 (without 1)"
    )


def test_while_no_step_is_made_the_log_says_so_again_and_again(lines, monkeypatch) -> None:
    now = [0.0]
    monkeypatch.setattr("raymon.sinks.terminal.console.time.monotonic", lambda: now[0])
    with Console(total_steps=1000, interval_s=1) as console:
        console.show(Stall(9, BACKWARD))  # before anything was shown
        console.show(snapshot(300))
        for second in range(1, 45):
            now[0] = second
            console.show(Stall(second + 0.2, BACKWARD if second < 30 else CHECKPOINT))
            console.show(Stall(second + 0.2, EVALUATION))
    assert [line.partition(" lr_g0")[0] for line in lines()] == [
        "Training Epoch 0: 300it [20.00it/s]",
        "Training Epoch 0: 300it [no step for 10 s]",
        "Training Epoch 0: 300it [no step for 20 s]",
        "Training Epoch 0: 300it [no step for 30 s: checkpoint]",
        "Training Epoch 0: 300it [no step for 40 s: checkpoint]",
    ]
    assert not any("samples/s" in line for line in lines()[1:])


def test_while_no_step_is_made_the_live_line_has_neither_rate_nor_remaining_time() -> None:
    line = last_frame(snapshot(40), snapshot(50), Stall(34, BACKWARD)).partition("\n")[0]
    assert "no step for 34 s loss:0.52341" in line
    assert "samples/s" not in line
    assert " 50/100 --:-- " in line
    line = last_frame(snapshot(50), Stall(34, BACKWARD), snapshot(60)).partition("\n")[0]
    assert "4,000 samples/s" in line
    assert "no step" not in line


def test_lines_are_throttled_and_the_last_one_is_never_lost(lines) -> None:
    with Console(total_steps=100, interval_s=3600) as console:
        for step in (10, 20, 30):
            console.show(snapshot(step))
    assert [line.split()[3] for line in lines()] == ["10it", "30it"]


def test_scores_of_an_evaluation_are_always_shown(lines) -> None:
    with Console(total_steps=100, interval_s=3600) as console:
        console.show(snapshot(10))
        console.show(Evaluation(10, {"auc": 0.75}))
    assert "Evaluation at step 10: auc:0.75000" in lines()


def test_losses_that_are_not_finite_are_a_warning(lines, caplog) -> None:
    with Console(total_steps=100, interval_s=0) as console:
        console.show(snapshot(10, non_finite={"binary_cross_entropy": 3}))
    assert caplog.records[0].levelname == "WARNING"
    assert "binary_cross_entropy:3" in lines()[0]


def test_wrong_input_is_a_warning_that_says_how_much_and_for_which_metrics(lines, caplog) -> None:
    errors = {"auc": {"NaN scores": 37}, "log_loss": {"NaN scores": 37, "labels": 2}}
    with Console(total_steps=100, interval_s=0) as console:
        console.show(snapshot(10, input_errors=errors))
        console.show(Evaluation(10, {"auc": 0.5}, input_errors={"auc": {"NaN scores": 1}}))
    assert caplog.records[0].levelname == "WARNING"
    assert lines()[0].endswith(": 37 NaN scores (auc, log_loss)")
    assert lines()[1].endswith(": 2 labels (log_loss)")
    assert lines()[3] == "Evaluation at step 10: 1 NaN scores (auc)"


def test_what_stays_wrong_is_told_when_it_begins(lines) -> None:
    wrong = {"input_errors": {"auc": {"NaN scores": 37}}, "non_finite": {"bce": 3}}
    with Console(total_steps=100, interval_s=3600) as console:
        for step in (10, 20, 30):
            console.show(snapshot(step, **wrong))
        console.show(snapshot(40))
        console.show(snapshot(50, **wrong))
    told = [line for line in lines() if line.startswith("Steps")]
    assert told == [
        "Steps 0 to 10: 37 NaN scores (auc)",
        "Steps 0 to 10: losses that are NaN or infinite, and in no mean: bce:3",
        "Steps 30 to 40: finite again: bce",
        "Steps 40 to 50: 37 NaN scores (auc)",
        "Steps 40 to 50: losses that are NaN or infinite, and in no mean: bce:3",
    ]


def test_a_bound_above_a_hundredth_is_a_warning_once_and_shown_always(lines) -> None:
    with Console(total_steps=100, interval_s=0) as console:
        for step in (10, 20):
            console.show(Evaluation(step, {"auc": 0.75}, {"auc": 0.031}))
        console.show(Evaluation(30, {"auc": 0.75}, {"auc": 0.0001}))
    assert lines() == [
        "Evaluation at step 10: auc can be off by 0.031: too many scores share a bin",
        "Evaluation at step 10: auc:0.75000(±0.031)",
        "Evaluation at step 20: auc:0.75000(±0.031)",
        "Evaluation at step 30: auc:0.75000",
    ]


def test_steps_that_were_rolled_back_are_not_shown_at_the_end(lines) -> None:
    with Console(total_steps=100, interval_s=3600) as console:
        for published in (snapshot(10), snapshot(30), AttemptBegan(2, 2, 20)):
            console.show(published)
    assert [line.split()[0] for line in lines()] == ["Training", "Attempt"]


def last_frame(*shown: Published, width: int = 140) -> str:
    screen = io.StringIO()
    terminal = RichConsole(file=screen, force_terminal=True, width=width, color_system=None)
    with Console(total_steps=100, interval_s=0, terminal=terminal) as console:
        for published in shown:
            console.show(published)
    return "Training Epoch" + screen.getvalue().rpartition("Training Epoch")[2]


def test_a_terminal_gets_one_live_line_with_rate_loss_metrics_and_coverage() -> None:
    line = last_frame(snapshot(50, epoch=1)).strip().partition("\n")[0]
    for part in (
        "Training Epoch 1 ━",
        " 50% 50/100 ",
        "4,000 samples/s",
        "loss:0.52341",
        "auc:0.71234",
        "2/2 ranks",
    ):
        assert part in line


def test_a_run_of_unknown_length_has_a_live_line_too() -> None:
    screen = io.StringIO()
    terminal = RichConsole(file=screen, force_terminal=True, color_system=None, width=200)
    with Console(None, interval_s=0, terminal=terminal) as console:
        console.show(snapshot(30))
    frame = screen.getvalue().rpartition("Training Epoch")[2]
    assert " 30it " in frame
    assert "auc:0.71234" in frame
    assert "%" not in frame


def test_what_does_not_fit_beside_the_bar_is_below_it() -> None:
    frame = last_frame(snapshot(50), EvaluationProgress(50, 1, 4, 0.1), width=80).splitlines()
    assert frame[0].split()[-2:] == ["50/100", "--:--"]
    assert frame[1].startswith("Evaluating Step 50")
    assert frame[2].strip() == "4,000 samples/s loss:0.52341 auc:0.71234 2/2 ranks"


def test_an_evaluation_has_a_bar_of_its_own_until_its_scores_are_there() -> None:
    progress = EvaluationProgress(50, 1, 4, 0.1)
    bar = last_frame(snapshot(50), progress).splitlines()[1]
    assert bar.startswith("Evaluating Step 50 ━")
    assert " 25% 1/4 " in bar
    assert "10.00it/s" in bar
    for end in (Evaluation(50, {"auc": 0.7}), AttemptBegan(2, 2, 0)):
        assert "Evaluating" not in last_frame(snapshot(50), progress, end)


def test_a_snapshot_that_lacks_ranks_says_so_and_moves_the_bar_never_back() -> None:
    early = snapshot(60, coverage=Coverage(7, 8, 12.0))
    exact = snapshot(40, coverage=Coverage(8, 8, 0.1))
    assert "7/8 ranks" in last_frame(early)
    frame = last_frame(early, exact)
    assert " 60/100 " in frame
    assert "8/8 ranks" in frame


def test_the_bar_goes_back_with_the_run() -> None:
    began = AttemptBegan(2, 2, 20)
    assert " 20% 20/100 " in last_frame(snapshot(50), began)
    assert " 30% 30/100 " in last_frame(snapshot(50), began, snapshot(30))
