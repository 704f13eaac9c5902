from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from raymon.board.web import watcher as watching
from raymon.board.web.configs import Configs
from raymon.board.web.gallery import Gallery
from raymon.board.web.summaries import Summaries
from raymon.board.web.watcher import Watcher


@pytest.fixture
def counted(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text(json.dumps({"status": "done"}))
    gallery = Gallery([str(tmp_path)])
    looks = []
    found = gallery.found
    monkeypatch.setattr(gallery, "found", lambda: looks.append(1) or found())
    return gallery, looks


def test_nothing_is_looked_at_while_nobody_listens(counted, monkeypatch):
    gallery, looks = counted
    monkeypatch.setattr(watching, "_EVERY_S", 0.01)

    async def work(workers):
        watcher = Watcher(gallery, Summaries(), Configs(), workers)
        task = asyncio.create_task(watcher.watch())
        await asyncio.sleep(0.2)
        before = len(looks)
        with watcher.listening():
            while len(looks) < 5:
                await asyncio.sleep(0.01)
        # A look that has begun ends.
        await asyncio.sleep(0.1)
        after = len(looks)
        await asyncio.sleep(0.2)
        task.cancel()
        return before, after, len(looks)

    with ThreadPoolExecutor(1) as workers:
        before, after, later = asyncio.run(work(workers))
    assert before == 0
    assert after == later


def test_runs_are_forgotten_when_nobody_has_listened_for_long(counted, monkeypatch):
    gallery, _ = counted
    monkeypatch.setattr(watching, "_FORGOTTEN_S", 0.05)
    (run_id,) = gallery.found().paths
    gallery.run(run_id)

    async def work(workers):
        task = asyncio.create_task(Watcher(gallery, Summaries(), Configs(), workers).watch())
        while gallery.opened():
            await asyncio.sleep(0.01)
        task.cancel()

    with ThreadPoolExecutor(1) as workers:
        asyncio.run(asyncio.wait_for(work(workers), 30))
    assert gallery.run(run_id).id == run_id


def test_a_slow_listener_has_one_thing_waiting_and_a_look_that_fails_is_not_the_last(
    counted, monkeypatch, caplog
):
    gallery, _ = counted
    monkeypatch.setattr(watching, "_EVERY_S", 0.001)
    wrong = [ValueError("disk"), ValueError("disk")]
    versions = iter([{"a": 1}, {"a": 2}, *wrong, {"a": 3, "b": 1}, *wrong, {"b": 2}])
    last = {"b": 2}

    def look():
        found = next(versions, last)
        if isinstance(found, Exception):
            raise found
        return found

    async def work(workers):
        watcher = Watcher(gallery, Summaries(), Configs(), workers)
        monkeypatch.setattr(watcher, "_look", look)
        with watcher.listening() as queue:
            task = asyncio.create_task(watcher.watch())
            while watcher._known != last:
                await asyncio.sleep(0.001)
            task.cancel()
            return queue.qsize(), queue.get_nowait()

    with ThreadPoolExecutor(1) as workers:
        size, told = asyncio.run(asyncio.wait_for(work(workers), 30))
    assert size == 1
    assert told == {"a": 0, "b": 2}
    assert caplog.text.count("what has changed is not known") == 1
