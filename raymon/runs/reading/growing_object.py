"""Lines on object storage: one object that is written anew, or a directory of parts."""

from __future__ import annotations

import zlib
from collections.abc import Generator, Iterator

from raymon.runs.reading.piece import Piece
from raymon.storage import ObjectPath, read_part_name

_TRIES = 3

State = tuple[int, int] | tuple[str, ...] | None


class GrowingObject:
    """Lines on object storage, of which only what is new is read.

    They are one object, which is written again with each line, or a directory of parts
    (`raymon.storage.ObjectLog`), each of which is read once: no name is written twice.

    Args:
        path: Path of the object or directory, which may be missing.
    """

    def __init__(self, path: ObjectPath) -> None:
        self._path = path
        self._state: State = None
        # CRC-32 of each line of the object.
        self._crcs: list[int] = []
        # Parts that were read, in their order, and the lines that they make.
        self._parts: list[str] = []
        self._lines = 0

    def signature(self) -> State:
        """Returns what changes with the lines; None if there are none.

        Raises:
            OSError: The storage does not answer.
        """
        parts = self._path.states()
        if parts:
            return tuple(sorted(parts))
        return self._path.parent.states().get(self._path.name)

    def pieces(self) -> Generator[Piece, None, None]:
        """Yields what is new, in pieces; a caller may stop after any, and go on with the next call.

        Raises:
            OSError: They cannot be read.
        """
        now = self.signature()
        if now == self._state:
            return
        for _ in range(_TRIES):
            try:
                yield from self._object_pieces(now) if _is_object(now) else self._part_pieces(now)
            except FileNotFoundError:
                # It was merged into another one in between.
                now = self.signature()
                continue
            self._state = now
            return

    def _object_pieces(self, now: State) -> Iterator[Piece]:
        data = self._path.read_bytes()
        lines = data[: data.rfind(b"\n") + 1].splitlines(keepends=True)
        crcs = [zlib.crc32(line) for line in lines]
        pairs = enumerate(zip(crcs, self._crcs, strict=False))
        kept = next((i for i, (new, old) in pairs if new != old), min(len(crcs), len(self._crcs)))
        if kept < self._lines or kept < len(lines):
            self._crcs, self._lines, self._parts = crcs, len(lines), []
            yield Piece(kept, b"".join(lines[kept:]), len(lines) - kept)

    def _part_pieces(self, now: State) -> Iterator[Piece]:
        orders = {str(name): read_part_name(str(name)) for name in now or ()}
        listed = sorted((order, name) for name, order in orders.items() if order)
        new = [(order, name) for order, name in listed if name not in self._parts]
        newest = max((read_part_name(name) or (0, 0) for name in self._parts), default=(-1, 0))
        # What was removed has been replaced by a newer part that begins no later. One that
        # arrives late belongs before what was read, and one that replaced nothing was lost.
        firsts = [order[1] for order, _ in new]
        gone = [read_part_name(name) or (0, 0) for name in self._parts if name not in orders]
        lost = any(order[1] < min(firsts, default=order[1] + 1) for order in gone)
        if lost or any(order < newest for order, _ in new) or self._crcs:
            self._parts, self._crcs, self._lines, new = [], [], 0, listed
            yield Piece(0)
        self._parts = [name for name in self._parts if name in orders]
        for (_, first), name in new:
            if first <= self._lines:
                data = (self._path / name).read_bytes()
                count = data.count(b"\n")
                kept, self._lines = first, first + count
                self._parts.append(name)
                yield Piece(kept, data, count)
            else:
                self._parts.append(name)


def _is_object(state: State) -> bool:
    return state is not None and isinstance(state[0], int)
