"""Which rank reads which streams."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Share:
    """What a rank reads of a stream: in each global batch, one of `parts` equal parts.

    Attributes:
        stream: its number.
        part: which part, from 0.
        parts: how many ranks share the stream.
    """

    stream: int
    part: int = 0
    parts: int = 1

    def of(self, begin: int, end: int) -> tuple[int, int]:
        """The part of rows [begin, end) of the stream."""
        rows = end - begin
        return begin + rows * self.part // self.parts, begin + rows * (self.part + 1) // self.parts


def shares(streams: int, world_size: int, rank: int) -> list[Share]:
    """What a rank reads, in the order of the streams.

    Streams go to ranks whole, as evenly as they go. Where there are more ranks than streams, ranks
    share one, and each of them decodes all of it.
    """
    if world_size <= streams:
        first, last = (r * streams // world_size for r in (rank, rank + 1))
        return [Share(stream) for stream in range(first, last)]
    stream = next(s for s in range(streams) if rank < (s + 1) * world_size // streams)
    first, last = (s * world_size // streams for s in (stream, stream + 1))
    return [Share(stream, rank - first, last - first)]
