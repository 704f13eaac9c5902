"""A log that grows, on storage whose objects cannot.

The log is a directory of parts, `part-{generation}-{first}`. A part holds entries; `first` is the
index of the first of them in the log. Parts are read in the order of generation and index, and a
part replaces all entries from `first` on.

No name is written twice, so that what is read is always what was written last. The generation
grows after a write that failed, which may still arrive; when entries are taken back; and when many
small parts become one. The first generation of a writer is the time, which is later than the
generations of a writer that was killed.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from raymon.storage.object_path import ObjectPath

MERGED = 64
"""Number of small parts that become one."""

_NAME = re.compile(r"part-(\d+)-(\d+)")


def read_part_name(name: str) -> tuple[int, int] | None:
    """Returns the generation of a part, by its name, and the index of its first entry.

    Parts are read in the order of these. None if it is not the name of a part.
    """
    found = _NAME.fullmatch(name)
    return (int(found[1]), int(found[2])) if found else None


@dataclass(frozen=True)
class _Part:
    path: ObjectPath
    generation: int
    first: int


class ObjectLog:
    """A log to which entries are appended; each append writes a part.

    After n appends there are at most n / 64 + 64 parts. Only one writer may exist at a time.
    Nothing is read before the first call that needs it.

    Args:
        path: Directory of the parts.
        split: Function that returns the entries of the bytes of a part, up to the first damaged
            one.
    """

    def __init__(self, path: ObjectPath, split: Callable[[bytes], Sequence[bytes]]) -> None:
        self._path = path
        self._split = split
        # None if the parts in the directory are not known yet.
        self._parts: list[_Part] | None = None
        self._generation = 0
        self._count = 0
        self._bytes = 0
        # All entries, if writing them as one part has failed.
        self._replaced: bytes | None = None
        self._small: list[tuple[_Part, bytes]] = []

    def read(self) -> list[bytes]:
        """Returns all entries, in order.

        Raises:
            OSError: They cannot be read.
        """
        return self._entries(self._listed())

    def _entries(self, parts: Sequence[_Part]) -> list[bytes]:
        entries: list[bytes] = []
        for part in parts:
            # Entries after a missing part are of no use, and a newer part replaces older entries.
            if part.first <= len(entries):
                with suppress(FileNotFoundError):
                    entries[part.first :] = self._split(part.path.read_bytes())
        return entries

    def append(self, entries: Sequence[bytes]) -> None:
        """Adds entries; they are durable when it returns.

        Raises:
            OSError: They are not durable, but may arrive later; the same entries have to be added
                again.
        """
        self._open()
        data, merges = b"".join(entries), len(self._small) >= MERGED
        if self._replaced is not None:
            self._rewrite(self._replaced + data)
        elif merges:
            first = self._small[0][0].first
            before = b"".join(part for _, part in self._small)
            self._put(first, before + data, next_generation=True)
            self._remove([part for part, _ in self._small])
            self._small = []
        else:
            part = self._put(self._count, data)
            self._small.append((part, data))
        self._count += len(entries)
        self._bytes += len(data)

    @property
    def size(self) -> int:
        """Bytes of all entries."""
        self._open()
        return self._bytes

    def replace(self, entries: Sequence[bytes]) -> None:
        """Replaces all entries by others.

        Raises:
            OSError: All of them or none are replaced, now or by a later write.
        """
        self._open()
        data = b"".join(entries)
        self._count, self._bytes, self._small = len(entries), len(data), []
        self._replaced = data
        self._rewrite(data)

    def cut(self, count: int) -> None:
        """Takes back all but the first `count` entries.

        Raises:
            OSError: All of them or none are left; entries that are appended next replace them.
        """
        self._open()
        assert self._parts is not None
        entries = self._entries(self._parts)
        first = max((p.first for p in self._parts if p.first <= count), default=0)
        if self._replaced is not None:
            # The write may still arrive, and is replaced as a whole.
            first, self._replaced = 0, None
        old = [part for part in self._parts if part.first >= first]
        # Even if the write fails, entries that are added next replace those after `count`.
        self._count, self._small = count, []
        self._bytes = sum(map(len, entries[:count]))
        self._put(first, b"".join(entries[first:count]), next_generation=True)
        self._remove(old)

    def _rewrite(self, data: bytes) -> None:
        """Writes all entries as one part.

        A write that failed may still arrive, and then replaces them; so after one every later write
        has all entries, until one succeeds.
        """
        assert self._parts is not None
        old = list(self._parts)
        self._put(0, data, next_generation=True)
        self._replaced = None
        self._remove(old)

    def _open(self) -> None:
        if self._parts is None:
            parts = self._listed()
            entries = self._entries(parts)
            self._count, self._bytes = len(entries), sum(map(len, entries))
            newest = max((part.generation for part in parts), default=-1)
            self._generation = max(newest + 1, int(time.time()))
            self._parts = parts

    def _put(self, first: int, data: bytes, next_generation: bool = False) -> _Part:
        assert self._parts is not None
        # A part without entries has the name that the next one would have.
        is_taken = any((p.generation, p.first) == (self._generation, first) for p in self._parts)
        self._generation += next_generation or is_taken
        name = f"part-{self._generation:010d}-{first:09d}"
        part = _Part(self._path / name, self._generation, first)
        try:
            part.path.write_bytes(data)
        except BaseException:
            self._generation += 1
            # The write may still arrive.
            self._parts.append(part)
            raise
        self._parts.append(part)
        return part

    def _remove(self, parts: Sequence[_Part]) -> None:
        assert self._parts is not None
        for part in parts:
            self._parts.remove(part)
            # A part that stays is overridden in reading.
            with suppress(OSError):
                part.path.unlink()

    def _listed(self) -> list[_Part]:
        found = ((path, read_part_name(path.name)) for path in self._path.iterdir())
        parts = [_Part(path, *order) for path, order in found if order]
        return sorted(parts, key=lambda part: (part.generation, part.first))
