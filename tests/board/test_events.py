from __future__ import annotations

import asyncio
import json
import shutil

from benchmarks.inputs.made_curves import MadeCurves
from benchmarks.inputs.made_run import write_run
from raymon.board.web.shown_run import id_of
from raymon.sinks import WindowLines
from tests.board.asking import Board

CURVES = MadeCurves(windows=100, ranks=1, begin=1.7e9)


async def _next(stream, wanted):
    """Returns the first event that tells of a run."""
    while True:
        line = await asyncio.wait_for(stream.content.readline(), 30)
        assert line, "the stream has ended"
        if line.startswith(b"data: "):
            versions = json.loads(line[6:])["runs"]
            if wanted in versions:
                return versions[wanted]


def test_a_window_that_is_written_is_told_to_who_listens(tmp_path):
    path = tmp_path / "run"
    write_run(path, CURVES)
    run_id = id_of(str(path))

    async def work(client):
        before = await (await client.get(f"/api/runs/{run_id}")).json()
        stream = await client.get("/api/events")
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        await stream.content.readline()
        sink = WindowLines(path)
        for snapshot in CURVES.snapshots(100, 101):
            sink.write(snapshot)
        while True:
            version = await _next(stream, run_id)
            after = await (await client.get(f"/api/runs/{run_id}")).json()
            if after["windows"] != before["windows"]:
                break
        stream.close()
        return before, version, after

    before, version, after = Board(tmp_path).run(work)
    assert version > before["version"]
    assert after["windows"] == before["windows"] + 1
    assert after["steps"][1] == CURVES.windows * 10 + 10


def test_a_run_that_goes_is_told_to_who_listens(tmp_path):
    path = tmp_path / "run"
    write_run(path, CURVES)
    run_id = id_of(str(path))

    async def work(client):
        await client.get(f"/api/runs/{run_id}")
        stream = await client.get("/api/events")
        await stream.content.readline()
        shutil.rmtree(path)
        version = await _next(stream, run_id)
        while version:
            version = await _next(stream, run_id)
        stream.close()
        return version

    assert Board(tmp_path).run(work) == 0
