"""Scalars of many steps, stacked by a background thread."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from raymon.recorder.offload import Offload


class BackgroundScalars:
    """Scalars that a background thread stacks into one array in host memory.

    Reading the tensors of a hundred steps, which have left all caches, would cost the training
    thread more than everything else at the end of a window; so it only hands them over.

    Args:
        scalars: One scalar per step: tensors on one device, or floats.
        stream: Stream for the work on a CUDA device, queued after what computes the scalars; None
            on the CPU.
    """

    def __init__(self, scalars: Sequence[Tensor | float], stream: torch.cuda.Stream | None) -> None:
        self._scalars = scalars
        self._stream = stream

    def wait(self) -> NDArray[np.float64]:
        """Waits for the scalars, on a thread other than the training thread.

        Returns:
            The scalars, float64 `[S]` for S steps.
        """
        tensors = [scalar for scalar in self._scalars if isinstance(scalar, Tensor)]
        if not tensors:
            return np.array(self._scalars, dtype=np.float64)
        with torch.cuda.stream(self._stream):
            if len(tensors) < len(self._scalars):
                like = tensors[0].new_empty((), dtype=torch.float64)
                tensors = [torch.as_tensor(scalar).to(like) for scalar in self._scalars]
            stacked = torch.stack(tensors)
            if self._stream is not None:
                # Their memory must not be reused before the stream is done with them.
                for tensor in tensors:
                    tensor.record_stream(self._stream)
            stacked = Offload({"values": stacked}, self._stream).wait()["values"]
        return stacked.cpu().double().numpy()
