"""One stream of rows, read from its beginning or from any row on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, wait

import numpy as np
import numpy.typing as npt

from raymon.data.input_seconds import InputSeconds
from raymon.data.reading.chunks import ChunkReader, Converted, Piece
from raymon.data.reading.order import RowRange, skip_rows
from raymon.data.reading.packed_rows import PackedRows, join_rows, take_rows
from raymon.errors import DataError
from raymon.results import INPUT_BATCHING

RowOrder = Callable[[int, int], npt.NDArray[np.int64]]
"""A function from the number of rows of a block, and its index, to the order of its rows."""


class StreamReader:
    """A reader of the rows of a stream in order.

    While rows are taken, the next pieces are decoded and converted. Small row groups are decoded in
    parallel, a large one piece by piece.

    Args:
        ranges: Row ranges of the stream.
        row: Row of the stream to begin at.
        chunks: Reader that decodes and converts.
        executor: Executor whose threads work ahead; None if the caller does the work.
        ahead: Pieces that are converted ahead, at least 1.
    """

    def __init__(
        self,
        ranges: list[RowRange],
        row: int,
        chunks: ChunkReader,
        executor: Executor | None,
        ahead: int,
    ) -> None:
        self._pieces = chunks.pieces(skip_rows(ranges, row))
        self._chunks = chunks
        self._executor = executor
        self._have: deque[PackedRows] = deque()
        self._rows = 0
        self._error: DataError | None = None
        if executor is not None:
            self._piece: Future[Piece | None] = executor.submit(self._next)
            self._converted = deque(self._submit(executor) for _ in range(ahead))

    def take(self, rows: int) -> list[PackedRows]:
        """Returns the next `rows` rows, in pieces; the stream must have as many.

        Raises:
            DataError: One of them is wrong, or cannot be read.
        """
        while self._rows < rows:
            self._refill()
        self._rows -= rows
        return take_rows(self._have, rows)

    def _refill(self) -> None:
        if self._error is not None:
            raise self._error
        if self._executor is None:
            converted = self._convert(self._next())
        else:
            self._converted.append(self._submit(self._executor))
            converted = self._converted.popleft().result()
        self._have.append(converted.rows)
        self._rows += converted.rows.size
        self._error = converted.error

    def _submit(self, executor: Executor) -> Future[Converted]:
        before = self._piece

        def following() -> Piece | None:
            # Pieces are drawn one after the other. The task of the previous piece is ahead in the
            # queue of the executor, so waiting for it cannot deadlock.
            wait([before])
            return self._next()

        converted = executor.submit(lambda: self._convert(before.result()))
        self._piece = executor.submit(following)
        return converted

    def _next(self) -> Piece | None:
        return next(self._pieces, None)

    def _convert(self, piece: Piece | None) -> Converted:
        if piece is None:
            raise AssertionError("more rows were asked for than the stream has")
        return self._chunks.convert(piece)


class ShuffledStream:
    """The rows of a stream, in a random order within blocks.

    Args:
        stream: Stream that begins with the block that holds `row`.
        length: Rows of the stream.
        block_rows: Rows of a block; the last one has what is left.
        row: Row of the shuffled stream to begin at.
        order: Function that orders the rows of a block.
        seconds: Seconds of reading by part.
    """

    def __init__(
        self,
        stream: StreamReader,
        length: int,
        block_rows: int,
        row: int,
        order: RowOrder,
        seconds: InputSeconds,
    ) -> None:
        self._stream = stream
        self._length = length
        self._block_rows = block_rows
        self._order = order
        self._seconds = seconds
        self._next_block = row // block_rows
        self._skip = row % block_rows
        self._block: PackedRows | None = None

    def take(self, rows: int) -> list[PackedRows]:
        """Returns the next `rows` rows, as `StreamReader.take` does."""
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
        pieces = self._stream.take(size)
        with self._seconds.timed(INPUT_BATCHING):
            block = join_rows(pieces).take(self._order(size, number))
        self._next_block += 1
        skip, self._skip = self._skip, 0
        return block.slice(skip, block.size)
