"""Scalars of many steps, put together by another thread than the one that trains."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from raymon.monitor.offload import Offload

Scalars = Sequence[Tensor | float] | Tensor


class LateStack:
    """Scalars in host memory, as one tensor, when `wait` returns.

    To touch the tensors of a hundred steps, which are in no cache any more, costs a training thread
    more than all else that it does at the end of a window; so it only hands them over.

    Args:
        scalars: One a step: scalars on one device, floats, or a tensor `[S]` on the CPU.
        stream: That the work on a CUDA device is queued on, behind what computes the scalars; None
            where there is none.
    """

    def __init__(self, scalars: Scalars, stream: torch.cuda.Stream | None) -> None:
        self._scalars = scalars
        self._stream = stream

    def wait(self) -> Tensor:
        """The scalars: float64 `[S]`. For a thread other than the training thread."""
        if isinstance(self._scalars, Tensor):
            return self._scalars.double()
        tensors = [scalar for scalar in self._scalars if isinstance(scalar, Tensor)]
        if not tensors:
            return torch.tensor(self._scalars, dtype=torch.float64, device="cpu")
        with torch.cuda.stream(self._stream):
            if len(tensors) < len(self._scalars):
                like = tensors[0].new_empty((), dtype=torch.float64)
                tensors = [torch.as_tensor(scalar).to(like) for scalar in self._scalars]
            stacked = torch.stack(tensors)
            if self._stream is not None:
                # Until the stream is done with them, their memory is not given to others.
                for tensor in tensors:
                    tensor.record_stream(self._stream)
            return Offload({"values": stacked}, self._stream).wait()["values"].double()
