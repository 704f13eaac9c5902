"""Sinks that misbehave, and a wait for what another thread does."""

import threading
import time
from collections.abc import Callable
from typing import Any

from raymon.results import Alert, Evaluation, Snapshot

SOON_S = 30.0


def wait_for(condition: Callable[[], Any]) -> Any:
    """Waits until a condition is true, and returns its value."""
    end = time.monotonic() + SOON_S
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.001)
    raise AssertionError("it did not come")


class Recorder:
    """A sink that records its calls; before each it raises one of the errors that it was given."""

    def __init__(self, errors: list[BaseException] | None = None) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.threads: set[int] = set()
        self.errors = errors or []
        self.tried = 0

    def write(self, snapshot: Snapshot) -> None:
        self._call("write", snapshot.end_step)

    def write_alert(self, alert: Alert) -> None:
        pass

    def write_evaluation(self, evaluation: Evaluation) -> None:
        self._call("evaluation", evaluation.step)

    def roll_back(self, step: int, evaluation_step: int) -> None:
        self._call("roll_back", step, evaluation_step)

    def flush(self) -> None:
        self._call("flush")

    def close(self) -> None:
        self._call("close")

    def _call(self, *call: Any) -> None:
        self.tried += 1
        self.threads.add(threading.get_ident())
        if self.errors:
            raise self.errors.pop(0)
        self.calls.append(call)


class Hanging(Recorder):
    """A sink that does nothing until a test releases it."""

    def __init__(self) -> None:
        super().__init__()
        self.hangs = threading.Event()
        self.go_on = threading.Event()

    def _call(self, *call: Any) -> None:
        self.hangs.set()
        assert self.go_on.wait(SOON_S)
        super()._call(*call)
