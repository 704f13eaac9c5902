"""Looks what has changed, while somebody wants to know."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from raymon.board.web.configs import Configs
from raymon.board.web.gallery import Gallery
from raymon.board.web.shown_run import GoneError, ShownRun
from raymon.board.web.summaries import Summaries

if TYPE_CHECKING:
    from collections.abc import Iterator

_logger = logging.getLogger(__name__)

Versions = dict[str, int]

_OF_CONFIGS = "configs"
"""Stands among the ids for the configs of the table."""

_EVERY_S = 0.5
"""Seconds between two looks."""

_FORGOTTEN_S = 900.0
"""Seconds without a listener after which runs are not kept open any more."""

_READING_S = 0.3
"""Most seconds of a look for which more of a large run is read."""

_MOST_LOOKED_AT = 1000
"""Runs that go on whose summaries are looked at, as many as a table shows."""


class Watcher:
    """Tells listeners which runs have changed; without listeners it does nothing.

    Args:
        gallery: The runs.
        summaries: Their entries in the table.
        configs: Their configs.
        workers: Threads that read files.
    """

    def __init__(
        self, gallery: Gallery, summaries: Summaries, configs: Configs, workers: Executor
    ) -> None:
        self._gallery = gallery
        self._summaries = summaries
        self._configs = configs
        self._workers = workers
        self._listeners: set[asyncio.Queue[Versions]] = set()
        self._wanted = asyncio.Event()
        self._known: Versions = {}
        self._failure: str | None = None

    @contextmanager
    def listening(self) -> Iterator[asyncio.Queue[Versions]]:
        """Gives a queue of the versions of runs that have changed, by id."""
        queue: asyncio.Queue[Versions] = asyncio.Queue()
        self._listeners.add(queue)
        self._wanted.set()
        try:
            yield queue
        finally:
            self._listeners.discard(queue)
            if not self._listeners:
                self._wanted.clear()

    async def watch(self) -> None:
        """Looks again and again, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            if not self._wanted.is_set():
                await self._wait()
                # What changed meanwhile is not told: who begins to listen asks for everything.
                self._known = await loop.run_in_executor(self._workers, self._safe_look)
            await asyncio.sleep(_EVERY_S)
            versions = await loop.run_in_executor(self._workers, self._safe_look)
            changed = {i: v for i, v in versions.items() if self._known.get(i) != v}
            changed |= dict.fromkeys(self._known.keys() - versions.keys(), 0)
            self._known = versions
            if changed:
                for queue in self._listeners:
                    # A listener that is slow has one thing waiting, however long it is.
                    waiting = {} if queue.empty() else queue.get_nowait()
                    queue.put_nowait(waiting | changed)

    async def _wait(self) -> None:
        """Waits for a listener; if none comes for long, the memory of runs is given back."""
        try:
            await asyncio.wait_for(self._wanted.wait(), _FORGOTTEN_S)
        except TimeoutError:
            for shown in self._gallery.opened():
                self._gallery.close(shown)
            await self._wanted.wait()

    def _safe_look(self) -> Versions:
        """Returns the same as `_look`; what was known before if that fails."""
        try:
            return self._look()
        except Exception as error:
            # Whatever is wrong with one run, others are told of all the same, and next time. The
            # same is wrong twice a second, and is said once.
            if repr(error) != self._failure:
                self._failure = repr(error)
                _logger.exception("what has changed is not known")
            return self._known

    def _look(self) -> Versions:
        """Returns the versions of all runs, by id."""
        paths = self._gallery.found().paths
        self._summaries.keep_only(paths)
        versions = {**dict.fromkeys(paths, 1), _OF_CONFIGS: self._configs.version}
        for run_id in self._summaries.going_on()[:_MOST_LOOKED_AT]:
            if run_id in paths:
                versions[run_id] = self._summaries.version(run_id, paths[run_id])
        for shown in self._gallery.opened():
            if shown.id in paths:
                versions[shown.id] = self._refreshed(shown)
            else:
                self._gallery.close(shown)
        return versions

    def _refreshed(self, shown: ShownRun) -> int:
        try:
            return shown.refresh(_READING_S)
        except GoneError:
            self._gallery.close(shown)
            return 0
