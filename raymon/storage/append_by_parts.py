"""What grows, on storage whose objects cannot.

A thing that grows is a directory of parts, `part-{generation}-{first}`. A part holds entries;
`first` is the place of its first one among all. Parts are taken by generation and place, and a part
takes the place of all that was there from `first` on. So that what is read is always what was
written last, a name is never written twice: a write that failed, which may still arrive, is
followed by one of the next generation, and so are entries that are taken back, and many small parts
that become one. The first generation of a writer is the time, which is past those of one that was
killed.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from raymon.storage.object_path import ObjectPath

MERGED = 64
"""Small parts that become one."""

_NAME = re.compile(r"part-(\d+)-(\d+)")


@dataclass(frozen=True)
class _Part:
    path: ObjectPath
    generation: int
    first: int


class Parts:
    """Appends entries, each append a part; after n of them there are at most n / 64 + 64 parts.

    One writes at a time. Nothing is read before the first call that needs it.

    Args:
        path: The directory.
        split: The entries of the bytes of a part, up to the first that is damaged.
    """

    def __init__(self, path: ObjectPath, split: Callable[[bytes], Sequence[bytes]]) -> None:
        self._path = path
        self._split = split
        # None: what is there is not known.
        self._parts: list[_Part] | None = None
        self._generation = 0
        self._count = 0
        self._small: list[tuple[_Part, bytes]] = []

    def read(self) -> list[bytes]:
        """All entries, in order.

        Raises:
            OSError: They cannot be read.
        """
        return self._entries(self._listed())

    def _entries(self, parts: Sequence[_Part]) -> list[bytes]:
        entries: list[bytes] = []
        for part in parts:
            # What comes behind a part that is lost is no use, nor what a newer one stands for.
            if part.first <= len(entries):
                with suppress(FileNotFoundError):
                    entries[part.first :] = self._split(part.path.read_bytes())
        return entries

    def append(self, entries: Sequence[bytes]) -> None:
        """Adds entries; they are durable when it returns.

        Raises:
            OSError: They are not, and may come to be; the same ones are to be added again.
        """
        self._open()
        data, merges = b"".join(entries), len(self._small) >= MERGED
        if merges:
            first = self._small[0][0].first
            before = b"".join(part for _, part in self._small)
            self._put(first, before + data, next_generation=True)
            self._remove([part for part, _ in self._small])
            self._small = []
        else:
            part = self._put(self._count, data)
            self._small.append((part, data))
        self._count += len(entries)

    def cut(self, count: int) -> None:
        """Takes back all but the first `count` entries.

        Raises:
            OSError: They are all there, or none of them; what is appended takes their place.
        """
        self._open()
        assert self._parts is not None
        entries = self._entries(self._parts)
        first = max((p.first for p in self._parts if p.first <= count), default=0)
        old = [part for part in self._parts if part.first >= first]
        # Also where the write fails, what is added next takes the place of what is behind.
        self._count, self._small = count, []
        self._put(first, b"".join(entries[first:count]), next_generation=True)
        self._remove(old)

    def _open(self) -> None:
        if self._parts is None:
            parts = self._listed()
            self._count = len(self._entries(parts))
            newest = max((part.generation for part in parts), default=-1)
            self._generation = max(newest + 1, int(time.time()))
            self._parts = parts

    def _put(self, first: int, data: bytes, next_generation: bool = False) -> _Part:
        assert self._parts is not None
        self._generation += next_generation
        name = f"part-{self._generation:010d}-{first:09d}"
        part = _Part(self._path / name, self._generation, first)
        try:
            part.path.write_bytes(data)
        except BaseException:
            self._generation += 1
            # It may still arrive.
            self._parts.append(part)
            raise
        self._parts.append(part)
        return part

    def _remove(self, parts: Sequence[_Part]) -> None:
        assert self._parts is not None
        for part in parts:
            self._parts.remove(part)
            # One that stays is read over.
            with suppress(OSError):
                part.path.unlink()

    def _listed(self) -> list[_Part]:
        found = ((path, _NAME.fullmatch(path.name)) for path in self._path.iterdir())
        parts = [_Part(path, int(name[1]), int(name[2])) for path, name in found if name]
        return sorted(parts, key=lambda part: (part.generation, part.first))
