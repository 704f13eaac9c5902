import logging

import pytest

from raymon.recorder.failures import Failures


class ActorError(Exception):
    """An error like that of Ray, which holds what an actor raised."""

    def __init__(self, cause: Exception) -> None:
        super().__init__("\x1b[36mray::ReportingActor\x1b[39m\nTraceback ...")
        self.cause = cause


def test_failures_are_counted_by_reason_and_each_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failures = Failures()
    with caplog.at_level(logging.WARNING, logger="raymon"):
        for _ in range(3):
            failures.add(ValueError("no\nsecond line"))
        failures.add(ActorError(OSError(28, "No space left on device")))
    assert failures.take() == {
        "ValueError: no": 3,
        "OSError: [Errno 28] No space left on device": 1,
    }
    assert failures.take() == {}
    assert failures.count == 4
    assert len(caplog.records) == 2


def test_reasons_that_never_repeat_are_not_kept_for_ever() -> None:
    failures = Failures()
    for number in range(1000):
        failures.add(ValueError(f"{number} {'x' * 1000}"))
    taken = failures.take()
    assert sum(taken.values()) == 1000
    assert len(taken) <= 21
    assert max(map(len, taken)) <= 300
