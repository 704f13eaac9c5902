"""All runs that the page is about."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

from raymon.board.web.finder import Finder, Found
from raymon.board.web.shown_run import ShownRun
from raymon.errors import RunError

_MOST_OPEN = 32
"""Runs whose numbers are kept in memory; that which was looked at longest ago goes first."""


class NoSuchRunError(RunError):
    """A run that is not there, or no more."""


class Gallery:
    """The runs under some directories; those that are looked at are kept open.

    Args:
        roots: Directories of runs, or those under which runs are; or their URIs.
    """

    def __init__(self, roots: Sequence[str]) -> None:
        self._finder = Finder(roots)
        self._lock = threading.Lock()
        self._open: OrderedDict[str, ShownRun] = OrderedDict()

    @property
    def roots(self) -> list[str]:
        """The directories, absolute."""
        return [str(root) for root in self._finder.roots]

    def found(self) -> Found:
        """Returns the runs that there are, as of some seconds ago."""
        return self._finder.find()

    def run(self, run_id: str) -> ShownRun:
        """Returns a run by its id.

        Raises:
            NoSuchRunError: There is none with this id.
            RunError: It cannot be read.
        """
        with self._lock:
            shown = self._open.get(run_id)
            if shown is not None:
                self._open.move_to_end(run_id)
                return shown
        path = self.found().paths.get(run_id)
        if path is None:
            raise NoSuchRunError("there is no such run, or it is there no more")
        try:
            opened = ShownRun(path)
        except RunError as error:
            raise NoSuchRunError(str(error)) from None
        with self._lock:
            shown = self._open.setdefault(run_id, opened)
            while len(self._open) > _MOST_OPEN:
                self._open.popitem(last=False)
        return shown

    def opened(self) -> list[ShownRun]:
        """Returns the runs that are kept open."""
        with self._lock:
            return list(self._open.values())

    def close(self, run: ShownRun) -> None:
        """Forgets a run, which is read anew when it is looked at again."""
        with self._lock:
            self._open.pop(run.id, None)
