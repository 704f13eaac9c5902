"""Files of monitoring that somebody deletes while a run writes to them."""

import json
import shutil
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from raymon.protos.report_pb2 import EvaluationRecord, JournalRecord
from raymon.reporter import Reporter
from raymon.reporter.store.journal import Journal, JournalGoneError
from raymon.results import Evaluation, Notice
from raymon.sinks import BackgroundSink, TensorBoard, WindowLines
from tests.reporter.test_reporter import make_reporter
from tests.reporter.windows import auc_metrics, auc_window, clicks


def report(reporter: Reporter, index: int) -> None:
    steps = (10 * index, 10 * index + 10)
    reporter.report(auc_window(0, index, steps, *clicks(50, index)))


@pytest.mark.parametrize("deletes", ["directory", "journal"])
def test_a_reporter_whose_files_are_deleted_says_so_and_loses_nothing_that_it_knows(
    deletes: str, tmp_path: Path
) -> None:
    reporter = make_reporter(tmp_path)
    reporter.begin_attempt("t", 1, 0, auc_metrics())
    for index in range(3):
        report(reporter, index)
    if deletes == "directory":
        shutil.rmtree(tmp_path / "monitor")
    else:
        (tmp_path / "monitor" / "journal-0.pb").unlink()
    report(reporter, 3)
    assert reporter.acknowledged().durable == {1: 4}
    told = [p.text for p in reporter.published()[0] if isinstance(p, Notice)]
    assert [text.count("were deleted and are made again") for text in told] == [1]
    report(reporter, 4)
    # One that starts anew knows what was known then and what came since.
    anew = make_reporter(tmp_path)
    assert anew.go_on("t", auc_metrics())
    assert anew.acknowledged().durable == {1: 5}
    assert anew.status().run.samples == 250
    assert anew.acknowledged().values == reporter.acknowledged().values


def test_scores_after_their_journal_was_deleted_are_stored(tmp_path: Path) -> None:
    reporter = make_reporter(tmp_path)
    reporter.begin_attempt("t", 1, 0, auc_metrics())
    report(reporter, 0)
    shutil.rmtree(tmp_path / "monitor")
    reporter.publish_evaluation(Evaluation(10, {"auc": 0.5}))
    anew = make_reporter(tmp_path)
    anew.go_on("t", auc_metrics())
    assert [p.step for p in anew.published()[0] if isinstance(p, Evaluation)] == [10]


def test_a_journal_that_was_closed_and_deleted_does_not_go_on_in_the_middle(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal-0.pb")
    record = JournalRecord(evaluation=EvaluationRecord(step=1))
    journal.append(record)
    journal.flush()
    journal.close()
    journal.path.unlink()
    journal.append(record)
    with pytest.raises(JournalGoneError):
        journal.flush()
    journal.flush()
    assert len(journal.path.read_bytes()) == 8 + record.ByteSize()


def test_lines_and_curves_that_are_deleted_begin_anew_and_that_is_told(tmp_path: Path) -> None:
    sinks = [BackgroundSink(WindowLines(tmp_path)), BackgroundSink(TensorBoard(tmp_path, ["loss"]))]
    reporter = make_reporter(tmp_path, sinks)
    reporter.begin_attempt("t", 1, 0, auc_metrics())
    report(reporter, 0)
    for sink in sinks:
        sink.begin_flush().wait(30)
    (tmp_path / "monitor" / "windows.jsonl").unlink()
    for events in tmp_path.glob("events*"):
        events.unlink()
    report(reporter, 1)
    reporter.close()
    (line,) = (tmp_path / "monitor" / "windows.jsonl").read_text().splitlines()
    assert json.loads(line)["global_step"] == 20
    points = EventAccumulator(str(tmp_path)).Reload().Scalars("loss/total")
    assert [point.step for point in points] == [20]
    told = " ".join(p.text for p in reporter.published()[0] if isinstance(p, Notice))
    assert "windows.jsonl was deleted and is made again, without its lines" in told
    assert "was deleted; a new file goes on, without its points" in told
