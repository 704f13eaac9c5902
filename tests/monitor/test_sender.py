import threading
from concurrent.futures import Future

import pytest

from raymon.monitor import Sender
from raymon.monitor import sender as sender_module
from raymon.protos.report_pb2 import WindowReport
from tests.monitor.test_window import window_of


class Reporter:
    """Remembers what came; refuses while `failing` is positive, keeps silent while `silent`."""

    def __init__(self) -> None:
        self.received: list[int] = []
        self.failing = 0
        self.silent = threading.Event()
        self.waiting: list[Future] = []

    def report(self, message: bytes) -> Future:
        future: Future = Future()
        if self.silent.is_set():
            self.waiting.append(future)
        elif self.failing > 0:
            self.failing -= 1
            future.set_exception(ConnectionError("gone"))
        else:
            self.received.append(WindowReport.FromString(message).index)
            future.set_result({"auc": 0.5})
        return future


def windows(count: int):
    for index in range(count):
        window = window_of([0.5], [1.0])
        window.index = index
        yield window


def test_windows_arrive_in_order_and_values_come_back() -> None:
    reporter, values = Reporter(), []
    sender = Sender(reporter, values.append)
    for window in windows(20):
        sender.put(window)
    assert sender.close(10)
    assert reporter.received == list(range(20))
    assert values == [{"auc": 0.5}] * 20
    assert (sender.acknowledged, sender.dropped) == (20, 0)


def test_every_window_arrives_though_the_reporter_fails_for_a_while(monkeypatch) -> None:
    monkeypatch.setattr(sender_module, "_RETRY_S", 0.01)
    reporter = Reporter()
    reporter.failing = 12
    sender = Sender(reporter, lambda values: None)
    for window in windows(20):
        sender.put(window)
    assert sender.close(30)
    assert sorted(set(reporter.received)) == list(range(20))


def test_a_reporter_that_never_answers_costs_its_windows_and_no_more(monkeypatch) -> None:
    monkeypatch.setattr(sender_module, "_RETRY_S", 0.01)
    monkeypatch.setattr(sender_module, "MAX_PENDING", 5)
    reporter = Reporter()
    reporter.silent.set()
    sender = Sender(reporter, lambda values: None)
    for window in windows(50):
        sender.put(window)
    assert not sender.close(0.1)
    assert sender.dropped == 50


def test_a_window_that_cannot_be_encoded_is_counted_and_the_others_arrive() -> None:
    reporter = Reporter()
    sender = Sender(reporter, lambda values: None)
    first, broken, last = windows(3)
    broken.weights = {}
    for window in (first, broken, last):
        sender.put(window)
    sender.close(10)
    assert reporter.received == [0, 2]
    assert (sender.dropped, sender.failures) == (1, 1)


@pytest.mark.parametrize("count", [0, 1])
def test_closing_ends_the_thread(count: int) -> None:
    sender = Sender(Reporter(), lambda values: None)
    for window in windows(count):
        sender.put(window)
    sender.close(10)
    assert not sender._thread.is_alive()
