"""Updates of a train metric, made by a background thread."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from raymon.code_location import describe
from raymon.metrics import LeftOutError, TrainMetricWrapper, Update, take_window_states
from raymon.recorder.failures import MetricFailedError
from raymon.recorder.offload import Offload
from raymon.wire import OF_A_METRIC

ROWS_AN_UPDATE = 1 << 18
"""Waiting rows at which an update begins. More would fragment the memory that steps allocate."""


class NoStatesError(Exception):
    """A metric has no states of a window; the message says why."""


def always() -> bool:
    """Returns True: every update is to be made."""
    return True


class TakenUpdates:
    """Updates of a metric that were taken by the training thread, for the updating thread.

    Args:
        metric: Where they are added.
        updates: The updates.
        not_given: Why an update of the window could not be given; None if all were.
    """

    def __init__(
        self, metric: BackgroundUpdates, updates: list[Update], not_given: str | None
    ) -> None:
        self._metric = metric
        self._updates = updates
        self._not_given = not_given

    def add(self, wanted: Callable[[], bool] = always) -> None:
        """Adds the updates to the metric, while `wanted` returns True before each."""
        updates, self._updates = self._updates, []
        self._metric.add(updates, wanted)

    def drop(self) -> None:
        """Forgets the updates; may be called by any thread."""
        self._updates = []

    def wait(self, wanted: Callable[[], bool] = always) -> dict[str, Tensor]:
        """Adds the updates, which are the last of a window, and resets the metric.

        Returns:
            The states of the window by name, on the CPU.

        Raises:
            NoStatesError: An update of the window raised, or could not be given.
        """
        self.add(wanted)
        return self._metric.states(self._not_given)


class BackgroundUpdates:
    """Updates of a train metric that wait for a background thread.

    On CUDA they run on a separate stream, after the work that is queued when they are taken. A
    window in which an update raises has no states: those of some of its updates would mean nothing.

    Args:
        name: Name of the metric.
        metric: Metric to update.
        stream: CUDA stream for the updates; None on the CPU.
        on_error: Called with an exception for each window in which an update raised.
    """

    def __init__(
        self,
        name: str,
        metric: TrainMetricWrapper,
        stream: torch.cuda.Stream | None,
        on_error: Callable[[Exception], None],
    ) -> None:
        self.name = name
        self._metric = metric
        self._stream = stream
        self._on_error = on_error
        # Why this window has no states: as the training thread knows it, and the updating thread.
        self._not_given: str | None = None
        self._failure: str | None = None

    def fail(self, error: BaseException) -> None:
        """Marks the window, as an update could not be given to the metric; for the other thread."""
        if self._not_given is None:
            self._not_given = self._describe(error)

    def take(self) -> TakenUpdates:
        """Takes the updates that wait, of a window that goes on."""
        return self._taken()

    def take_window(self) -> TakenUpdates:
        """Takes the updates that wait, which are the last of a window."""
        failure, self._not_given = self._not_given, None
        return self._taken(failure)

    def add(self, updates: list[Update], wanted: Callable[[], bool]) -> None:
        """Adds updates to the metric, on the updating thread.

        Args:
            updates: The updates.
            wanted: Called before each update; returns whether it is to be made.
        """
        if self._failure is not None:
            return
        try:
            with torch.cuda.stream(self._stream):
                self._keep(updates)
                self._metric.add(updates, wanted)
        except LeftOutError as error:  # the others are in
            self._on_error(error)
        except (Exception, SystemExit) as error:  # a metric that fails costs only itself
            self._failure = self._describe(error)

    def states(self, not_given: str | None) -> dict[str, Tensor]:
        """Returns the states of the window by name, on the CPU, and resets the metric.

        Args:
            not_given: Why an update of the window could not be given to the metric; None if all
                were.

        Raises:
            NoStatesError: An update raised, or could not be given.
        """
        failure, self._failure = self._failure or not_given, None
        with torch.cuda.stream(self._stream):
            states = take_window_states(self._metric.metric)
            if failure is not None:
                raise NoStatesError(failure)
            return Offload(states, self._stream).wait()

    def _describe(self, error: BaseException) -> str:
        text = f"an update failed: {describe(error)}"
        self._on_error(MetricFailedError(f"{OF_A_METRIC}{self.name}: {text}"))
        return text

    def _taken(self, not_given: str | None = None) -> TakenUpdates:
        if self._stream is not None:
            self._stream.wait_stream(torch.cuda.current_stream(self._stream.device))
        return TakenUpdates(self, self._metric.take_waiting(), not_given)

    def _keep(self, updates: list[Update]) -> None:
        # Their memory must not be reused before the stream is done with them.
        if self._stream is None:
            return
        for update in updates:
            for value in (*update.args, *update.kwargs.values()):
                if isinstance(value, Tensor) and value.is_cuda:
                    value.record_stream(self._stream)
