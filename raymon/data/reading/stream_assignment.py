"""The assignment of streams to ranks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Share:
    """A rank's share of a stream: one of `parts` equal parts of it in each global batch.

    Attributes:
        stream: Index of the stream.
        part: Index of the part, from 0.
        parts: Number of ranks that share the stream.
    """

    stream: int
    part: int = 0
    parts: int = 1

    def of(self, begin: int, end: int) -> tuple[int, int]:
        """Returns the beginning and the end of this share of rows [begin, end) of the stream."""
        rows = end - begin
        return begin + rows * self.part // self.parts, begin + rows * (self.part + 1) // self.parts


def shares(streams: int, world_size: int, rank: int) -> list[Share]:
    """Returns the shares of a rank, in the order of the streams.

    Ranks get whole streams, as evenly as possible. If there are more ranks than streams, several
    ranks share one, and each of them decodes all of it.
    """
    if world_size <= streams:
        first, last = (r * streams // world_size for r in (rank, rank + 1))
        return [Share(stream) for stream in range(first, last)]
    stream = next(s for s in range(streams) if rank < (s + 1) * world_size // streams)
    first, last = (s * world_size // streams for s in (stream, stream + 1))
    return [Share(stream, rank - first, last - first)]
