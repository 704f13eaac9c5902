"""Scalars of many steps, put together by another thread than the one that trains."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from raymon.recorder.offload import Offload


class BackgroundScalars:
    """Scalars in host memory, as one tensor, when `wait` returns.

    To touch the tensors of a hundred steps, which are in no cache any more, costs a training thread
    more than all else that it does at the end of a window; so it only hands them over.

    Args:
        scalars: One a step: scalars on one device, or floats.
        stream: That the work on a CUDA device is queued on, behind what computes the scalars; None
            where there is none.
    """

    def __init__(self, scalars: Sequence[Tensor | float], stream: torch.cuda.Stream | None) -> None:
        self._scalars = scalars
        self._stream = stream

    def wait(self) -> NDArray[np.float64]:
        """The scalars: `[S]`. For a thread other than the training thread."""
        tensors = [scalar for scalar in self._scalars if isinstance(scalar, Tensor)]
        if not tensors:
            return np.array(self._scalars, dtype=np.float64)
        with torch.cuda.stream(self._stream):
            if len(tensors) < len(self._scalars):
                like = tensors[0].new_empty((), dtype=torch.float64)
                tensors = [torch.as_tensor(scalar).to(like) for scalar in self._scalars]
            stacked = torch.stack(tensors)
            if self._stream is not None:
                # Until the stream is done with them, their memory is not given to others.
                for tensor in tensors:
                    tensor.record_stream(self._stream)
            stacked = Offload({"values": stacked}, self._stream).wait()["values"]
        return stacked.double().numpy()
