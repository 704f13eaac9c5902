import threading
from concurrent.futures import Future
from dataclasses import replace

import pytest

from raymon.protos.report_pb2 import WindowReport
from raymon.recorder import Outbox, encode_window
from raymon.recorder import outbox as outbox_module
from raymon.results import Evaluation
from raymon.wire import Ack
from tests.recorder.test_window import window_of


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch) -> None:
    monkeypatch.setattr(outbox_module, "_RETRY_S", 0.01)
    monkeypatch.setattr(outbox_module, "_ASK_S", 0.01)


class Reporter:
    """Records what arrives, and has stored what it took, unless `forgetful`."""

    def __init__(self) -> None:
        self.received: list[tuple[int, int]] = []
        self.reports: list[WindowReport] = []
        self.failing = 0
        self.silent = threading.Event()
        self.forgetful = threading.Event()
        self.refusing: set[int] = set()
        self.told: set[int] = set()
        self.life = "first"
        self.begun = True
        self.published: list[Evaluation] = []
        self.durable = 0

    def report(self, message: bytes) -> Future:
        future: Future = Future()
        if self.silent.is_set():
            return future
        if self.failing > 0:
            self.failing -= 1
            future.set_exception(ConnectionError("gone"))
            return future
        report = WindowReport.FromString(message)
        refused = "why not" if report.index in self.refusing else None
        if self.begun and not refused:
            self.reports.append(report)
            self.received.append((report.attempt, report.index))
        while not self.forgetful.is_set() and self.has(self.durable):
            self.durable += 1
        # A refused window counts as settled from the answer that names the next one.
        future.set_result(self.ack(refused))
        if refused:
            self.told.add(report.index)
        return future

    def has(self, index: int) -> bool:
        return (1, index) in self.received or index in self.told

    def ack(self, refused: str | None = None) -> Ack:
        old = 0
        while (0, old) in self.received:
            old += 1
        durable = {0: old, 1: self.durable}
        return Ack(self.life, 1, self.begun, durable, {"auc": 0.5}, refused)

    def acknowledged(self) -> Future:
        future: Future = Future()
        if not self.silent.is_set():
            future.set_result(self.ack())
        return future

    def publish_evaluation(self, what: Evaluation) -> Future:
        future: Future = Future()
        if self.failing > 0:
            self.failing -= 1
            future.set_exception(ConnectionError("gone"))
        else:
            self.published.append(what)
            future.set_result(None)
        return future


def windows(count: int, first: int = 0):
    for index in range(first, first + count):
        window = window_of([0.5], [1.0])
        window.index = index
        yield window


def indices(reporter: Reporter) -> list[int]:
    return [index for _, index in reporter.received]


def wait_until(condition) -> None:
    done = threading.Event()
    for _ in range(3000):
        if condition():
            return
        done.wait(0.01)
    raise AssertionError("it never came to that")


def test_windows_arrive_in_order_and_values_come_back() -> None:
    reporter, values = Reporter(), []
    outbox = Outbox(reporter, lambda ack: values.append(ack.values))
    for window in windows(20):
        outbox.put(window)
    assert outbox.close(10)
    assert indices(reporter) == list(range(20))
    assert {"auc": 0.5} in values
    assert (outbox.acknowledged, outbox.dropped) == (20, 0)


def test_every_window_arrives_though_the_reporter_fails_for_a_while() -> None:
    reporter = Reporter()
    reporter.failing = 12
    outbox = Outbox(reporter, lambda ack: None)
    for window in windows(20):
        outbox.put(window)
    assert outbox.close(30)
    assert sorted(set(indices(reporter))) == list(range(20))


def test_a_window_is_kept_until_it_is_durable_and_not_only_taken() -> None:
    reporter = Reporter()
    reporter.forgetful.set()
    outbox = Outbox(reporter, lambda ack: None)
    for window in windows(5):
        outbox.put(window)
    wait_until(lambda: len(reporter.received) == 5)
    kept = [WindowReport.FromString(message).index for message in outbox.unacknowledged()()[0]]
    assert kept == [0, 1, 2, 3, 4]
    reporter.durable = 3
    wait_until(lambda: len(outbox.unacknowledged()()[0]) == 2)
    reporter.durable = 5
    assert outbox.close(10)


def test_a_save_has_what_was_taken_before_it_and_is_not_durable_when_it_is_written() -> None:
    reporter, scores = Reporter(), [Evaluation(step, {}) for step in (10, 20)]
    reporter.forgetful.set()
    reporter.failing = 1_000_000
    outbox = Outbox(reporter, lambda ack: None)
    waits = threading.Event()
    # Marking does not wait for what the sender is at.
    outbox.work(waits.wait)
    taken = windows(6)
    for _ in range(4):
        outbox.put(next(taken))
    outbox.publish_evaluation(scores[0])
    unacknowledged = outbox.unacknowledged()
    for window in taken:
        outbox.put(window)
    outbox.publish_evaluation(scores[1])
    waits.set()
    kept, of_step = unacknowledged()
    assert [WindowReport.FromString(message).index for message in kept] == [0, 1, 2, 3]
    assert of_step == [scores[0]]
    reporter.failing = 0
    wait_until(lambda: len(reporter.received) == 6)
    reporter.durable = 3
    wait_until(lambda: len(unacknowledged()[0]) == 1)
    assert [WindowReport.FromString(message).index for message in unacknowledged()[0]] == [3]
    reporter.durable = 6
    assert outbox.close(10)


def test_a_reporter_that_started_anew_gets_again_what_was_not_durable() -> None:
    reporter = Reporter()
    reporter.forgetful.set()
    outbox = Outbox(reporter, lambda ack: None)
    for window in windows(5):
        outbox.put(window)
    wait_until(lambda: len(reporter.received) == 5)
    reporter.durable = 2
    reporter.received.clear()
    reporter.life = "second"
    wait_until(lambda: len(reporter.received) >= 3)
    reporter.forgetful.clear()
    for window in windows(1, first=5):
        outbox.put(window)
    assert outbox.close(10)
    assert set(indices(reporter)) == {2, 3, 4, 5}


def test_a_reporter_that_cannot_take_windows_yet_gets_them_later() -> None:
    reporter = Reporter()
    reporter.begun = False
    outbox = Outbox(reporter, lambda ack: None)
    for window in windows(5):
        outbox.put(window)
    wait_until(lambda: len(outbox.unacknowledged()()[0]) == 5)
    reporter.begun = True
    assert outbox.close(10)
    assert sorted(set(indices(reporter))) == list(range(5))


def test_a_window_that_is_refused_is_lost_and_the_others_arrive() -> None:
    reporter = Reporter()
    reporter.refusing = {1}
    outbox = Outbox(reporter, lambda ack: None)
    for window in windows(3):
        outbox.put(window)
    assert outbox.close(10)
    assert indices(reporter) == [0, 2]
    assert (outbox.dropped, outbox.failures) == (1, 1)


def test_windows_of_an_earlier_attempt_are_answered_before_new_ones_go() -> None:
    reporter = Reporter()
    old = []
    for window in windows(3):
        window.attempt = 0
        old.append(encode_window(window).SerializeToString())
    reporter.failing = 2
    outbox = Outbox(reporter, lambda ack: None)
    outbox.resend(old)
    for window in windows(2):
        outbox.put(window)
    assert outbox.close(10)
    first_new = reporter.received.index((1, 0))
    assert {(0, 0), (0, 1), (0, 2)} <= set(reporter.received[:first_new])


def test_scores_are_kept_and_published_again_until_that_succeeds() -> None:
    reporter, scores = Reporter(), Evaluation(10, {"auc": 0.5})
    reporter.failing = 1_000_000
    outbox = Outbox(reporter, lambda ack: None)
    outbox.publish_evaluation(scores)
    wait_until(lambda: reporter.failing < 999_998)
    assert outbox.unacknowledged()() == ([], [scores])
    reporter.failing = 0
    wait_until(lambda: outbox.unacknowledged()() == ([], []))
    assert outbox.close(10)
    assert reporter.published == [scores]


def test_a_reporter_that_never_answers_costs_its_windows_and_no_more(monkeypatch) -> None:
    one = encode_window(next(windows(1))).ByteSize()
    monkeypatch.setattr(outbox_module, "MAX_KEPT_BYTES", 20 * one)
    reporter = Reporter()
    reporter.silent.set()
    outbox = Outbox(reporter, lambda ack: None)
    for window in windows(50):
        outbox.put(window)
    kept = [WindowReport.FromString(message).index for message in outbox.unacknowledged()()[0]]
    # The oldest were dropped.
    assert 0 < len(kept) < 25
    assert kept[-1] == 49
    assert not outbox.close(0.1)
    assert outbox.dropped == 50


def test_a_window_that_cannot_be_encoded_is_counted_and_the_others_arrive() -> None:
    reporter = Reporter()
    outbox = Outbox(reporter, lambda ack: None)
    first, broken, last = windows(3)
    broken.weights = {}
    reporter.told = {1}
    for window in (first, broken, last):
        outbox.put(window)
    outbox.close(10)
    assert indices(reporter) == [0, 2]
    assert (outbox.dropped, outbox.failures) == (1, 1)
    assert reporter.reports[-1].failures == 1


def test_windows_tell_what_sending_took() -> None:
    reporter = Reporter()
    outbox = Outbox(reporter, lambda ack: None)
    for window in windows(1):
        outbox.put(window)
    wait_until(lambda: not outbox.unacknowledged()()[0])
    for window in windows(1, first=1):
        outbox.put(window)
    assert outbox.close(10)
    first, second = reporter.reports
    assert first.sending.sent == 0
    assert second.sending.sent == 1
    assert second.sending.bytes == len(first.SerializeToString())
    assert sum(second.sending.latencies) >= 1
    assert second.host_bytes > 10_000_000


@pytest.mark.parametrize("count", [0, 1])
def test_closing_ends_the_thread(count: int) -> None:
    outbox = Outbox(Reporter(), lambda ack: None)
    for window in windows(count):
        outbox.put(window)
    outbox.close(10)
    assert not outbox._thread.is_alive()


def test_what_is_kept_of_one_rank_says_nothing_of_another() -> None:
    reporter = Reporter()
    outbox = Outbox(reporter, lambda ack: None)
    messages = [
        WindowReport(schema_version=2, attempt=0, ranks=[rank], index=index)
        for rank, first in ((0, 2), (1, 5))
        for index in range(first, first + 3)
    ]
    reporter.forgetful.set()
    outbox.resend([message.SerializeToString() for message in messages])
    wait_until(lambda: len(reporter.reports) >= len(messages))
    kept = {(*report.ranks, report.index): report.first_kept for report in reporter.reports}
    assert {first for (rank, _), first in kept.items() if rank == 1} <= {5, 6, 7}
    outbox.close(0)


class FullDisk(Reporter):
    """Takes windows and stores nothing; scores raise until the disk has space."""

    def __init__(self) -> None:
        super().__init__()
        self.forgetful.set()
        self.is_full = True
        self.tried = 0

    def ack(self, refused: str | None = None) -> Ack:
        return replace(super().ack(refused), storage_fails=self.is_full)

    def publish_evaluation(self, what: Evaluation) -> Future:
        self.tried += 1
        if not self.is_full:
            return super().publish_evaluation(what)
        future: Future = Future()
        future.set_exception(OSError(28, "No space left on device"))
        return future


def test_scores_that_cannot_be_stored_hold_up_no_window_and_bring_none_again() -> None:
    reporter = FullDisk()
    outbox = Outbox(reporter, lambda ack: None)
    scores = Evaluation(10, {"auc": 0.5})
    outbox.publish_evaluation(scores)
    wait_until(lambda: reporter.tried >= 3)
    for window in windows(30):
        outbox.put(window)
    wait_until(lambda: len(reporter.received) == 30)
    assert indices(reporter) == list(range(30))
    assert outbox.unacknowledged()()[1] == [scores]
    tried = reporter.tried
    wait_until(lambda: reporter.tried >= tried + 3)
    assert len(reporter.received) == 30
    reporter.is_full, reporter.durable = False, 30
    assert outbox.close(30)
    assert reporter.published == [scores]


def test_the_end_does_not_wait_for_a_storage_that_takes_nothing(monkeypatch) -> None:
    monkeypatch.setattr(outbox_module, "_STORAGE_S", 0.05)
    reporter = FullDisk()
    outbox = Outbox(reporter, lambda ack: None)
    outbox.publish_evaluation(Evaluation(10, {"auc": 0.5}))
    for window in windows(3):
        outbox.put(window)
    # It would return by itself only in an hour.
    assert not outbox.close(3600)
    assert indices(reporter) == [0, 1, 2]
    assert not outbox.is_stored
    assert outbox.dropped == 4


def test_the_end_waits_for_a_storage_that_takes_all_again(monkeypatch) -> None:
    reporter = FullDisk()
    outbox = Outbox(reporter, lambda ack: None)
    for window in windows(3):
        outbox.put(window)
    wait_until(lambda: not outbox.is_stored)
    reporter.is_full, reporter.durable = False, 3
    assert outbox.close(30)
    assert outbox.is_stored
