"""Copies of tensors to host memory that only a background thread waits for."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from raymon.metrics import is_zero_placeholder


class Offload:
    """Copies of tensors in host memory, complete when `wait` returns.

    On CUDA the copies go to page-locked memory on a separate stream, after the work that is queued
    now; only the thread that calls `wait` waits for them. CPU tensors are used without a copy, so
    their owner must not write to them any more.

    Args:
        tensors: Tensors by name, on any devices.
        stream: Stream for copies from a CUDA device; None on the CPU.
    """

    def __init__(
        self, tensors: Mapping[str, torch.Tensor], stream: torch.cuda.Stream | None
    ) -> None:
        self._event: torch.cuda.Event | None = None
        self._host = dict(tensors)
        on_device = {name: value for name, value in tensors.items() if value.is_cuda}
        if not on_device or stream is None:
            return
        stream.wait_stream(torch.cuda.current_stream(stream.device))
        with torch.cuda.stream(stream):
            for name, value in on_device.items():
                if is_zero_placeholder(value):
                    # A placeholder of zeros stays one, which uses no memory.
                    nothing = torch.zeros((), dtype=value.dtype, device="cpu")
                    self._host[name] = nothing.expand(value.shape)
                    continue
                host = torch.empty(value.shape, dtype=value.dtype, pin_memory=True)
                host.copy_(value, non_blocking=True)
                value.record_stream(stream)
                self._host[name] = host
            self._event = torch.cuda.Event()
            self._event.record(stream)

    def wait(self) -> dict[str, torch.Tensor]:
        """Waits for the copies, on a thread other than the training thread.

        Returns:
            The tensors by name, on the CPU.
        """
        if self._event is not None:
            self._event.synchronize()
        return self._host
