"""One stream of rows, read from its beginning or from any row on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future

import numpy as np
import numpy.typing as npt

from raymon.data.chunks import ChunkReader
from raymon.data.order import RowRange, skip_rows
from raymon.data.packed import PackedRows, join_rows

RowOrder = Callable[[int, int], npt.NDArray[np.int64]]
"""Of the rows of a block, and its number: the order in which they come."""


class StreamReader:
    """Gives the rows of a stream in order, with the next piece of it always in work.

    Args:
        ranges: of the stream.
        row: where to begin.
        chunks: decodes.
        executor: has the threads that decode ahead; None: the caller decodes.
    """

    def __init__(
        self, ranges: list[RowRange], row: int, chunks: ChunkReader, executor: Executor | None
    ) -> None:
        self._source = chunks.read(skip_rows(ranges, row))
        self._executor = executor
        self._ahead: Future[PackedRows | None] | None = None
        self._have: deque[PackedRows] = deque()
        if executor is not None:
            self._ahead = executor.submit(self._decode)

    def take(self, rows: int) -> list[PackedRows]:
        """The next rows, in pieces; there must be as many.

        Raises:
            DataError: one of them is wrong, or cannot be read.
        """
        pieces = []
        while rows:
            piece = self._have.popleft() if self._have else self._next()
            if piece.size > rows:
                self._have.appendleft(piece.slice(rows, piece.size))
                piece = piece.slice(0, rows)
            rows -= piece.size
            pieces.append(piece)
        return pieces

    def _next(self) -> PackedRows:
        if self._ahead is None:
            piece = self._decode()
        else:
            assert self._executor is not None
            piece = self._ahead.result()
            self._ahead = self._executor.submit(self._decode)
        if piece is None:
            raise AssertionError("more rows were asked for than the stream has")
        return piece

    def _decode(self) -> PackedRows | None:
        return next(self._source, None)


class ShuffledStream:
    """Rows of a stream, in a random order within blocks.

    Args:
        stream: begins with the block that holds `row`.
        length: rows of the stream.
        block_rows: rows of a block; the last one has what is left.
        row: where to begin.
        order: of the rows of a block.
    """

    def __init__(
        self, stream: StreamReader, length: int, block_rows: int, row: int, order: RowOrder
    ) -> None:
        self._stream = stream
        self._length = length
        self._block_rows = block_rows
        self._order = order
        self._next_block = row // block_rows
        self._skip = row % block_rows
        self._block: PackedRows | None = None

    def take(self, rows: int) -> list[PackedRows]:
        """As `StreamReader.take`."""
        pieces = []
        while rows:
            block = self._block or self._read()
            piece = block.slice(0, min(rows, block.size))
            rows -= piece.size
            self._block = block.slice(piece.size, block.size) if piece.size < block.size else None
            pieces.append(piece)
        return pieces

    def _read(self) -> PackedRows:
        number = self._next_block
        size = min(self._block_rows, self._length - number * self._block_rows)
        block = join_rows(self._stream.take(size)).take(self._order(size, number))
        self._next_block += 1
        skip, self._skip = self._skip, 0
        return block.slice(skip, block.size)
