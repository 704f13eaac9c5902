"""Tensors on their way off the device, without anybody waiting for them."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from raymon.metrics import is_nothing


class Offload:
    """Copies of tensors in host memory, ready when `wait` returns.

    On CUDA the copies go to page-locked memory on a stream of their own, behind the work that is
    queued now; only the thread that calls `wait` waits for them. CPU tensors are taken as they
    are, so their owner must not write to them any more.

    Args:
        tensors: By name; on any devices.
        stream: The stream for copies off a CUDA device; None where there is none.
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
                if is_nothing(value):
                    # It stands for zeros, and takes no memory.
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
        """The tensors on the CPU. For a thread other than the training thread."""
        if self._event is not None:
            self._event.synchronize()
        return self._host
