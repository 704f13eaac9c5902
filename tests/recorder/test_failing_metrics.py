"""A train metric that raises, or never returns, costs only itself, and no step waits for it."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest
import torch
from torchmetrics import Metric

from raymon.metrics import DecayAUC, TrainMetricWrapper
from raymon.protos.report_pb2 import WindowReport
from raymon.recorder import Outbox, Recorder, encode_window
from raymon.recorder.separate_updates import SeparateUpdates
from raymon.wire import Ack, Layout, add_counts, decode_counts
from tests.recorder.test_recorder import Taken, make_recorder

STEPS = 5
"""Steps of a window."""


class Ones(Metric):
    """Counts its updates; before each it calls a function."""

    def __init__(self, before: Callable[[int], object]) -> None:
        super().__init__()
        self.add_state("ones", torch.tensor(0), dist_reduce_fx="sum")
        self._before = before
        self._calls = 0

    def update(self, scores: torch.Tensor, labels: torch.Tensor) -> None:
        self._calls += 1
        self._before(self._calls)
        self.ones += 1

    def compute(self) -> torch.Tensor:
        return self.ones.float()


def fail_at(*calls: int, error: type[BaseException] = ZeroDivisionError) -> Callable[[int], None]:
    def before(call: int) -> None:
        if call in calls:
            raise error("division by zero")

    return before


def windows_of(
    metrics: dict[str, Metric], steps: int, update: Callable[[str, Any], None] | None = None
) -> list[WindowReport]:
    """The windows of a rank that has these metrics, as they are sent."""
    wrappers = {name: TrainMetricWrapper(metric) for name, metric in metrics.items()}
    scores, labels = torch.tensor([0.2, 0.8]), torch.tensor([0.0, 1.0])

    def update_all(predictions: object, batch: object) -> None:
        for name, wrapper in wrappers.items():
            if update is not None:
                update(name, batch)
            wrapper.update(scores, labels)

    taken = Taken()
    recorder = make_recorder(taken, wrappers, update_all, log_step_count_steps=STEPS)
    for step in range(steps):
        recorder.step({}, None, step, samples=2, weights=2.0)
    for separate in recorder._separate:
        separate.close()
    return [encode_window(window) for window in taken.windows]


def states(window: WindowReport) -> list[int]:
    """The state of the metric that counts its updates, and then those of an AUC."""
    names = {"ones": TrainMetricWrapper(Ones(fail_at())), "auc": TrainMetricWrapper(DecayAUC())}
    layout = Layout.of_metrics(names)
    assert window.layout == layout.fingerprint
    counts = layout.empty()
    add_counts(decode_counts(window.counts, layout.size), counts)
    return counts.tolist()


def reasons(window: WindowReport) -> dict[str, str]:
    return {failure.metric: failure.reason for failure in window.metric_failures}


def test_a_window_in_which_an_update_raised_has_no_states_and_the_others_have() -> None:
    broken = windows_of({"ones": Ones(fail_at(7)), "auc": DecayAUC()}, 15)
    whole = windows_of({"ones": Ones(fail_at()), "auc": DecayAUC()}, 15)
    lines, first = inspect.getsourcelines(fail_at)
    line = first + next(i for i, text in enumerate(lines) if "raise" in text)
    why = "an update failed: ZeroDivisionError: division by zero "
    place = f"tests/recorder/test_failing_metrics.py:{line} in before"
    assert [reasons(window) for window in broken] == [{}, {"ones": f"{why}({place})"}, {}]
    assert broken[1].metric_failures[0].rank == 0
    assert [states(window)[0] for window in whole] == [STEPS, STEPS, STEPS]
    assert [states(window)[0] for window in broken] == [STEPS, 0, STEPS]
    # What another metric has is that of an undisturbed run, in every window.
    assert [states(window)[1:] for window in broken] == [states(window)[1:] for window in whole]


def test_a_metric_that_leaves_the_process_is_one_that_raises() -> None:
    (window,) = windows_of({"ones": Ones(fail_at(2, error=SystemExit))}, 5)
    assert reasons(window)["ones"].startswith("an update failed: SystemExit: division by zero (")


def test_a_state_of_another_shape_costs_only_its_metric() -> None:
    def grow(call: int) -> None:
        if call == 3:
            metric.ones = torch.zeros(2, dtype=torch.int64)

    metric = Ones(grow)
    window, after = windows_of({"ones": metric, "auc": DecayAUC()}, 10)
    assert "state ones of metric ones has shape [2], not []" in reasons(window)["ones"]
    assert (states(window)[0], states(after)[0]) == (0, STEPS)
    assert states(window)[1:] == states(after)[1:]
    assert not reasons(after)


def test_an_update_that_cannot_be_given_costs_the_metrics_that_miss_it() -> None:
    def update(name: str, step: int) -> None:
        if name == "second" and step == 3:
            raise KeyError("score")

    metrics: dict[str, Metric] = {n: Ones(fail_at()) for n in ("first", "second", "third")}
    window, after = windows_of(metrics, 10, update)
    assert set(reasons(window)) == {"second", "third"}
    assert reasons(window)["third"].startswith("an update failed: KeyError: 'score' (")
    assert not reasons(after)


class Receiver:
    """A channel that keeps what it gets, all of which is durable."""

    def __init__(self) -> None:
        self.windows: list[WindowReport] = []
        self.changed = threading.Condition()

    def report(self, message: bytes) -> Future[Ack]:
        with self.changed:
            self.windows.append(WindowReport.FromString(message))
            self.changed.notify_all()
        return self._answer()

    def acknowledged(self) -> Future[Ack]:
        return self._answer()

    def _answer(self) -> Future[Ack]:
        answer: Future[Ack] = Future()
        answer.set_result(Ack("life", attempt=1, durable={1: len(self.windows)}))
        return answer

    def wait_for(self, number: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.windows) >= number, timeout=20)


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """An event for which a metric waits; it comes at the end of the test at the latest."""
    event = threading.Event()
    yield event
    event.set()


def test_a_metric_that_does_not_return_delays_nothing_and_has_values_once_it_does(
    release: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("raymon.recorder.separate_updates.PATIENCE_S", 0.5)
    receiver = Receiver()
    wrappers = {
        "ones": TrainMetricWrapper(Ones(lambda call: call > 1 or release.wait(60))),
        "auc": TrainMetricWrapper(DecayAUC()),
    }
    scores, labels = torch.tensor([0.2, 0.8]), torch.tensor([0.0, 1.0])

    def update(predictions: object, batch: object) -> None:
        for wrapper in wrappers.values():
            wrapper.update(scores, labels)

    outbox = Outbox(receiver, lambda ack: None)
    recorder = Recorder(
        attempt=1,
        rank=3,
        metrics=wrappers,
        update_train_metric=update,
        log_step_count_steps=STEPS,
        outbox=outbox,
        device=torch.device("cpu"),
    )

    def train(steps: int) -> None:
        for _ in range(steps):
            recorder.step({"loss": torch.tensor(0.5)}, None, None, samples=2, weights=2.0)

    train(2 * STEPS)
    receiver.wait_for(2)
    whole = states(windows_of({"ones": Ones(fail_at()), "auc": DecayAUC()}, STEPS)[0])
    for window in receiver.windows:
        assert reasons(window)["ones"].startswith("it is slow: an update takes more than 0.")
        assert states(window) == [0, *whole[1:]]
        assert window.losses[0].HasField("weight")
    assert recorder.failures == 2
    release.set()
    # The first windows after that may still meet the update that is over now.
    (separate,) = recorder._separate
    while True:
        sent = len(receiver.windows)
        train(STEPS)
        receiver.wait_for(sent + 1)
        if not receiver.windows[-1].metric_failures:
            break
        assert sent < 20
    assert states(receiver.windows[-1]) == whole
    assert recorder.close(20.0)
    assert isinstance(separate, SeparateUpdates)
    assert [window.index for window in receiver.windows] == list(range(len(receiver.windows)))


def test_the_end_of_a_run_does_not_wait_for_a_metric(
    release: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("raymon.recorder.separate_updates.PATIENCE_S", 0.5)
    receiver = Receiver()
    wrapper = TrainMetricWrapper(Ones(lambda call: release.wait(60)))
    recorder = Recorder(
        attempt=1,
        rank=0,
        metrics={"ones": wrapper},
        update_train_metric=lambda scores, labels: wrapper.update(scores, labels),
        log_step_count_steps=STEPS,
        outbox=Outbox(receiver, lambda ack: None),
        device=torch.device("cpu"),
    )
    for _ in range(STEPS):
        recorder.step({}, torch.ones(2), torch.ones(2), samples=2, weights=2.0)
    # All windows are there, although no update has returned.
    assert recorder.close(20.0)
    assert not release.is_set()
    assert len(receiver.windows) == 1
