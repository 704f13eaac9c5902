"""What a reporter keeps on object storage: one that starts with an empty disk goes on from it."""

from __future__ import annotations

import json
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raymon.protos.report_pb2 import EvaluationRecord, JournalRecord, ReporterState
from raymon.reporter import Reporter
from raymon.reporter import reporter as reporter_module
from raymon.reporter.store.object_journal import ObjectJournal, read_journal
from raymon.reporter.store.store import Store
from raymon.results import Evaluation
from raymon.sinks import EvaluationLines, Sink, WindowLines
from tests.reporter.windows import auc_metrics, auc_window, clicks
from tests.storage.copies import lines_of
from tests.storage.objects import Objects, now_and_then
from tests.storage.test_object_log import no_pauses

__all__ = ["no_pauses"]


def record(step: int) -> JournalRecord:
    return JournalRecord(evaluation=EvaluationRecord(step=step))


def steps(objects: Objects) -> list[int]:
    return [r.evaluation.step for r in read_journal(objects.path() / "journal.pb")]


@given(st.lists(st.integers(0, 5), max_size=30))
def test_after_any_flush_the_journal_has_exactly_what_was_appended(sizes: list[int]) -> None:
    objects, appended = Objects(), 0
    journal = ObjectJournal(objects.path() / "journal.pb")
    for size in sizes:
        for _ in range(size):
            journal.append(record(appended))
            appended += 1
        assert steps(objects) == list(range(appended - size))
        journal.flush()
        assert steps(objects) == list(range(appended))


def test_a_record_that_was_damaged_ends_the_journal() -> None:
    objects = Objects()
    journal = ObjectJournal(objects.path() / "journal.pb")
    for step in range(3):
        journal.append(record(step))
        journal.flush()
    key = sorted(objects.objects)[1]
    objects.objects[key] = objects.objects[key][:-1]
    assert steps(objects) == [0]


def test_a_state_begins_the_journal_anew_and_old_ones_go() -> None:
    objects = Objects()
    store = Store(objects.path())
    store.load()
    for step in (10, 20, 30, 40):
        store.append(record(step))
        store.write_state(ReporterState(end_step=step))
    store.append(record(45))
    store.flush()
    saved = Store(objects.path()).load()
    assert saved.state is not None
    assert saved.state.end_step == 40
    assert [r.evaluation.step for r in saved.records] == [45]
    names = {key.split("/")[3] for key in objects.objects if "/monitor/" in key}
    # A run that goes back to a checkpoint needs a state up to it; here there is none.
    assert names == {"state-30.pb", "state-40.pb", "journal-30.pb", "journal-40.pb"}
    store.forget_after(30)
    again = Store(objects.path()).load()
    assert again.state is not None
    assert again.state.end_step == 30


def test_storage_that_does_not_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporter_module, "_LOAD_PAUSES_S", (0.0, 0.0, 0.0))
    objects = Objects()
    first = Reporter(objects.path(), [], 10, late_after_s=5.0)
    first.begin_attempt("t", 1, 0, auc_metrics())
    first.report(auc_window(0, 0, (0, 10), *clicks(100, 0), checkpoint=True))
    first.report(auc_window(0, 1, (10, 20), *clicks(100, 1)))
    left = [3]

    def fail(kind: str) -> None:
        if kind == "list" and left[0]:
            left[0] -= 1
            raise OSError("503 SlowDown")

    objects.fails = fail
    second = Reporter(objects.path(), [], 10, late_after_s=5.0)
    assert second.go_on("t", auc_metrics())
    assert second.acknowledged().durable == first.acknowledged().durable == {1: 2}
    assert second.status().store_failures == 3


@pytest.mark.parametrize("seed", range(5))
def test_reporters_die_on_storage_that_fails_and_no_number_changes(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker keeps windows until they are acknowledged; new reporters have only the storage."""
    monkeypatch.setattr(reporter_module, "_LOAD_PAUSES_S", ())
    rng = random.Random(seed)
    parts = [clicks(60, number) for number in range(14)]

    def window(number: int) -> bytes:
        span = (10 * number, 10 * number + 10)
        return auc_window(0, number, span, *parts[number], checkpoint=number % 6 == 5)

    def run(disturbed: bool) -> tuple[list[dict], bytes]:
        # A sink that fails is tried again by its thread, which is not here.
        objects, shown = Objects(), Objects()

        def start() -> Reporter:
            sinks: list[Sink] = [WindowLines(shown.path()), EvaluationLines(shown.path())]
            return Reporter(objects.path(), sinks, 10, late_after_s=5.0)

        reporter = start()
        reporter.begin_attempt("t", 1, 0, auc_metrics())
        acknowledged = sent = 0
        while acknowledged < len(parts):
            if disturbed:
                objects.fails = now_and_then(rng, 0.2)
            if sent < len(parts):
                reporter.report(window(sent))
                sent += 1
            if disturbed and rng.random() < 0.2:
                objects.fails = lambda kind: None
                reporter = start()
                assert reporter.go_on("t", auc_metrics())
                sent = acknowledged
            if rng.random() < 0.3 or sent == len(parts):
                reporter._flush_not_before = 0.0
                durable = reporter.acknowledged().durable.get(1, 0)
                assert durable >= acknowledged
                acknowledged = durable
                sent = max(sent, acknowledged)
        objects.fails = lambda kind: None
        reporter.publish_evaluation(Evaluation(140, {"auc": 0.5}))
        reporter.close()
        lines = [json.loads(line) for line in lines_of(shown)]
        return lines, shown.objects["bucket/run/train_eval_result_v2.txt"]

    expected, scores = run(disturbed=False)
    found, found_scores = run(disturbed=True)
    for name in ("global_step", "samples", "samples_total", "losses", "metrics"):
        assert [line[name] for line in found] == [line[name] for line in expected], name
    assert found_scores == scores


def test_a_reporter_whose_storage_hangs_answers_half_of_the_time() -> None:
    objects = Objects()
    reporter = Reporter(objects.path(), [], 10, late_after_s=5.0)
    reporter.begin_attempt("t", 1, 0, auc_metrics())

    asked: list[str] = []

    def hang(kind: str) -> None:
        asked.append(kind)
        time.sleep(0.5)
        raise OSError("timeout")

    objects.fails = hang
    reporter.report(auc_window(0, 0, (0, 10), *clicks(100, 0)))
    assert asked
    asked.clear()
    # For as long as the storage took, nothing is asked of it.
    assert reporter.acknowledged().durable.get(1, 0) == 0
    assert not asked
    objects.fails = lambda kind: None
    time.sleep(0.6)
    assert reporter.acknowledged().durable == {1: 1}
