"""Updates of a metric, made by another thread than the one that trains."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from raymon.metrics import TrainMetricWrapper, Update, take_window_states
from raymon.recorder.offload import Offload

ROWS_AN_UPDATE = 1 << 18
"""Rows that are worth an update. Held longer, tensors are in the way of what steps allocate."""


class BackgroundUpdates:
    """Updates of a metric that wait for another thread.

    On CUDA they run on a stream of their own, behind the work that is queued when this is made.

    Args:
        metric: Handed over; what waits in it is taken.
        stream: The stream; None where there is none.
        on_error: Called with what an update raised.
    """

    def __init__(
        self,
        metric: TrainMetricWrapper,
        stream: torch.cuda.Stream | None,
        on_error: Callable[[Exception], None],
    ) -> None:
        self._metric = metric
        self._updates = metric.take_waiting()
        self._stream = stream
        self._on_error = on_error
        if stream is not None:
            stream.wait_stream(torch.cuda.current_stream(stream.device))

    def add(self) -> None:
        """Adds them to the metric."""
        updates, self._updates = self._updates, []
        try:
            with torch.cuda.stream(self._stream):
                self._metric.add(updates)
                self._keep(updates)
        except Exception as error:  # a metric that fails costs only itself
            self._on_error(error)

    def wait(self) -> dict[str, Tensor]:
        """The states of the window that ends with them, on the CPU; the metric starts anew."""
        self.add()
        with torch.cuda.stream(self._stream):
            return Offload(take_window_states(self._metric.metric), self._stream).wait()

    def _keep(self, updates: list[Update]) -> None:
        # Until the stream is done with them, their memory is not given to others.
        if self._stream is None:
            return
        for update in updates:
            for value in (*update.args, *update.kwargs.values()):
                if isinstance(value, Tensor) and value.is_cuda:
                    value.record_stream(self._stream)
