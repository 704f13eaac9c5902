"""Updates of a metric, made by a background thread."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from raymon.metrics import TrainMetricWrapper, Update, take_window_states
from raymon.recorder.offload import Offload

ROWS_AN_UPDATE = 1 << 18
"""Waiting rows at which an update begins. More would fragment the memory that steps allocate."""


class BackgroundUpdates:
    """Updates of a metric that wait for a background thread.

    On CUDA they run on a separate stream, after the work that is queued when this is made.

    Args:
        metric: Metric to update; its waiting updates are taken.
        stream: CUDA stream for the updates; None on the CPU.
        on_error: Called with an exception that an update raised.
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
        """Adds the updates to the metric."""
        updates, self._updates = self._updates, []
        try:
            with torch.cuda.stream(self._stream):
                self._keep(updates)
                self._metric.add(updates)
        except Exception as error:  # a metric that fails costs only itself
            self._on_error(error)

    def wait(self) -> dict[str, Tensor]:
        """Adds the updates, which are the last of a window, and resets the metric.

        Returns:
            The states of the window by name, on the CPU.
        """
        self.add()
        with torch.cuda.stream(self._stream):
            return Offload(take_window_states(self._metric.metric), self._stream).wait()

    def _keep(self, updates: list[Update]) -> None:
        # Their memory must not be reused before the stream is done with them.
        if self._stream is None:
            return
        for update in updates:
            for value in (*update.args, *update.kwargs.values()):
                if isinstance(value, Tensor) and value.is_cuda:
                    value.record_stream(self._stream)
