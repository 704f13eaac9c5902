"""A copy of this rank's part of the state, which training stands still for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch


def assign_to_ranks(sizes: Mapping[str, int], world_size: int) -> dict[str, int]:
    """Which rank writes which tensor, where all ranks have all of them: a function of the
    arguments alone, so that no rank asks another.

    The largest goes first, to the rank that has the least by then.

    Args:
        sizes: In bytes, by name.
        world_size: Ranks in all.

    Returns:
        The rank, by name.
    """
    loads = [0] * world_size
    ranks = {}
    for name in sorted(sizes, key=lambda name: (-sizes[name], name)):
        rank = min(range(world_size), key=lambda rank: (loads[rank], rank))
        loads[rank] += sizes[name]
        ranks[name] = rank
    return ranks


class Staging:
    """Memory of the host that tensors are copied to, the same for every save.

    Args:
        device: Of the tensors.
    """

    def __init__(self, device: torch.device) -> None:
        self._cuda = device.type == "cuda"
        self._stream = torch.cuda.Stream(device) if self._cuda else None
        self._buffers: dict[str, torch.Tensor] = {}

    def copy(self, tensors: Mapping[str, torch.Tensor]) -> Callable[[], Mapping[str, torch.Tensor]]:
        """Copies tensors as they are now. What was copied before must not be in use any more.

        On CUDA nothing waits: the copies are made on a stream of their own, and the stream that
        trains goes on behind them.

        Returns:
            A function that waits for the copies and gives them, by name.
        """
        self._buffers = {name: self._buffer(name, tensor) for name, tensor in tensors.items()}
        if self._stream is None:
            for name, tensor in tensors.items():
                self._buffers[name].copy_(tensor)
            return lambda: self._buffers
        training = torch.cuda.current_stream(self._stream.device)
        self._stream.wait_stream(training)
        with torch.cuda.stream(self._stream):
            for name, tensor in tensors.items():
                self._buffers[name].copy_(tensor.detach(), non_blocking=True)
            copied = self._stream.record_event()
        training.wait_event(copied)

        def wait() -> Mapping[str, torch.Tensor]:
            copied.synchronize()
            return self._buffers

        return wait

    def _buffer(self, name: str, tensor: torch.Tensor) -> torch.Tensor:
        known = self._buffers.get(name)
        if known is not None and known.shape == tensor.shape and known.dtype == tensor.dtype:
            return known
        return torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=self._cuda)
