"""Host copies of this rank's part of the state; training waits until they are made."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

import torch

from raymon.embeddings import TableShards
from raymon.training.checkpoint.host_blocks import HostBlocks, Memory, touch
from raymon.training.checkpoint.page_lock import PageLock

T = TypeVar("T")


def assign_to_ranks(sizes: Mapping[str, int], world_size: int) -> dict[str, int]:
    """Returns which rank writes each of the tensors that all ranks have.

    The result only depends on the arguments, so that ranks need not communicate. The largest tensor
    goes first, each to the rank that has the fewest bytes so far.

    Args:
        sizes: Bytes of each tensor, by name.
        world_size: Number of ranks.

    Returns:
        The rank of each tensor, by name.
    """
    # The rank with the fewest bytes is the first; of those with equally many, the lowest.
    loads = [(0, rank) for rank in range(world_size)]
    ranks = {}
    for name in sorted(sizes, key=lambda name: (-sizes[name], name)):
        load, rank = loads[0]
        heapq.heapreplace(loads, (load + sizes[name], rank))
        ranks[name] = rank
    return ranks


class Copies(Generic[T]):
    """Copies in host memory of what tensors were when the copies were asked for.

    Args:
        content: What was copied, with the copies in the place of its tensors.
        events: CUDA events before and after the copies; None on the CPU.
        release: Function that gives the memory of the copies back.
    """

    def __init__(
        self,
        content: T,
        events: tuple[torch.cuda.Event, torch.cuda.Event] | None,
        release: Callable[[], None],
    ) -> None:
        self._content = content
        self._events = events
        self._release = release

    def wait(self) -> T:
        """Waits until the copies are made, on a thread other than the training thread.

        Returns:
            The content, with no tensor on any other device than the CPU.
        """
        if self._events is not None:
            self._events[1].synchronize()
        return self._content

    @property
    def device_s(self) -> float:
        """Seconds that the device made copies and nothing else, once they are made; 0 on a CPU."""
        if self._events is None:
            return 0.0
        begun, over = self._events
        return float(begun.elapsed_time(over)) / 1e3

    def release(self) -> None:
        """Gives the memory of the copies back, for those of the next save."""
        self._release()


class Staging:
    """Host memory that tensors are copied to, reused for every save.

    `torch.distributed.checkpoint.staging.StateDictStager` takes as long (10 ms for 166 MB on a
    CPU), but copies the whole storage of a tensor that is a part of one (twice the bytes where a
    rank writes half of them), and leaves the order of CUDA streams to the caller.

    Args:
        device: Device of the tensors.
        tell: Function that shows a line to those who watch the run.
    """

    def __init__(self, device: torch.device, tell: Callable[[str], None]) -> None:
        cuda = device.type == "cuda"
        self._stream = torch.cuda.Stream(device) if cuda else None
        self._blocks = HostBlocks(PageLock(device, tell) if cuda else touch)
        self._free = threading.Event()
        self._free.set()

    @property
    def nbytes(self) -> int:
        """The bytes of host memory that it keeps."""
        return self._blocks.nbytes

    def reserve(self, content: object) -> None:
        """Takes the memory for copies ahead of the first save, which takes a while."""
        self._blocks.cut([tensor.nbytes for tensor in _tensors(content)])

    def copy(self, content: T) -> Copies[T]:
        """Copies all tensors of the content as they are now.

        On CUDA nothing waits: the copies are made on a separate stream, and the training stream
        continues after them.

        Args:
            content: Tensors and parts of sharded tables, in dictionaries, lists and tuples, beside
                any other values, which are taken over.

        Raises:
            RuntimeError: The copies of the last call were not released.
        """
        if not self._free.is_set():
            raise RuntimeError("the copies of the last save are still being written")
        tensors = [tensor.detach() for tensor in _tensors(content)]
        pieces = self._blocks.cut([tensor.nbytes for tensor in tensors])
        pairs = zip(pieces, tensors, strict=True)
        copies = [_as_tensor(piece, tensor) for piece, tensor in pairs]
        events = self._fill(copies, tensors)
        self._free.clear()
        return Copies(_replaced(content, iter(copies)), events, self._free.set)

    def _fill(
        self, copies: list[torch.Tensor], tensors: list[torch.Tensor]
    ) -> tuple[torch.cuda.Event, torch.cuda.Event] | None:
        if self._stream is None:
            for copy, tensor in zip(copies, tensors, strict=True):
                copy.copy_(tensor)
            return None
        training = torch.cuda.current_stream(self._stream.device)
        self._stream.wait_stream(training)
        with torch.cuda.stream(self._stream):
            begun = torch.cuda.Event(enable_timing=True)
            begun.record()
            for copy, tensor in zip(copies, tensors, strict=True):
                copy.copy_(tensor, non_blocking=True)
            # Who waits for it sleeps.
            over = torch.cuda.Event(enable_timing=True, blocking=True)
            over.record()
        training.wait_event(over)
        return begun, over


def _tensors(content: object) -> Iterator[torch.Tensor]:
    """Yields the tensors of a content, in the order in which `_replaced` takes their copies."""
    if isinstance(content, torch.Tensor):
        yield content
    elif isinstance(content, TableShards):
        for shard in content.shards:
            yield shard.values
    elif isinstance(content, Mapping | list | tuple):
        for each in content.values() if isinstance(content, Mapping) else content:
            yield from _tensors(each)


def _replaced(content: Any, copies: Iterator[torch.Tensor]) -> Any:
    """Returns a content with other tensors."""
    if isinstance(content, torch.Tensor):
        return next(copies)
    if isinstance(content, TableShards):
        return content.with_values([next(copies) for _ in content.shards])
    if isinstance(content, Mapping):
        return {key: _replaced(each, copies) for key, each in content.items()}
    if isinstance(content, list | tuple):
        return type(content)(_replaced(each, copies) for each in content)
    return content


def _as_tensor(piece: Memory, like: torch.Tensor) -> torch.Tensor:
    """Returns a piece of memory as a tensor of the shape and the type of another.

    Its storage is the piece and no more: of a larger one, all of it would be written.
    """
    if not len(piece):
        return torch.empty(like.shape, dtype=like.dtype, device="cpu")
    return torch.frombuffer(piece, dtype=like.dtype).view(like.shape)
