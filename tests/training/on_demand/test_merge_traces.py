"""Traces of ranks become one: processes do not mix, and clocks agree."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pyarrow import fs

from raymon.storage import ObjectPath, write_whole
from raymon.training.loop.requested_trace import trace_path
from raymon.training.on_demand.merge_traces import merge_traces
from raymon.wire import RankAnswer
from tests.storage.objects import Objects

FIRST, END = 100, 102


def write(directory: Path, rank: int, pid: int, base_ns: int, begin_us: float, gpu: bool) -> None:
    """Writes a trace of two steps of 1 ms, each with a collective that ends after 800 us."""
    events: list[dict[str, Any]] = [
        {"ph": "M", "name": "process_name", "ts": 0, "pid": pid, "tid": 0, "args": {"name": "py"}},
        {
            "ph": "M",
            "name": "process_labels",
            "ts": 0,
            "pid": pid,
            "tid": 0,
            "args": {"labels": "CPU"},
        },
        {"ph": "X", "cat": "Trace", "name": "all", "pid": "Spans", "tid": "x", "ts": 1, "dur": 1},
        # A GPU that is not used.
        {"ph": "M", "name": "process_labels", "pid": 5, "tid": 0, "args": {"labels": "GPU 5"}},
    ]
    for step in range(2):
        ts = begin_us + 1000 * step
        base = {"ph": "X", "pid": pid, "tid": pid}
        events += [
            {
                **base,
                "cat": "user_annotation",
                "name": f"ProfilerStep#{step}",
                "ts": ts,
                "dur": 999,
            },
            {**base, "cat": "cpu_op", "name": "gloo:all_reduce", "ts": ts + 500, "dur": 300 - rank},
            {"ph": "s", "id": step, "pid": pid, "tid": pid, "ts": ts, "cat": "f", "name": "f"},
        ]
    if gpu:
        events += [
            {"ph": "M", "name": "process_labels", "pid": 0, "tid": 0, "args": {"labels": "GPU 0"}},
            {
                "ph": "X",
                "cat": "kernel",
                "name": "gemm",
                "pid": 0,
                "tid": 7,
                "ts": begin_us,
                "dur": 9,
            },
        ]
    trace = {"baseTimeNanoseconds": base_ns, "traceEvents": events}
    path = trace_path(directory, FIRST, rank)
    write_whole(path, gzip.compress(json.dumps(trace).encode()))


def merged(directory: Path, hosts: Sequence[str]) -> dict[str, Any]:
    answers = [RankAnswer(1, rank, host, FIRST, END) for rank, host in enumerate(hosts)]
    path = merge_traces(directory, answers)
    assert path == directory / "train_eval_trace" / "steps-100-102.trace.json.gz"
    assert list(path.parent.iterdir()) == [path]
    with gzip.open(path) as file:
        trace: dict[str, Any] = json.load(file)
    return trace


def ends(trace: dict[str, Any], pid: int) -> list[float]:
    return [
        event["ts"] + event["dur"]
        for event in trace["traceEvents"]
        if event["pid"] == pid and event["name"] == "gloo:all_reduce"
    ]


@pytest.mark.parametrize("host", ["a", "b"])
def test_ranks_keep_apart_and_their_clocks_agree(tmp_path: Path, host: str) -> None:
    # Both processes have one id. The base of the second is another one, and its machine, if it is
    # another one, is an hour ahead.
    ahead_ns = 3_600_000_000_000 if host == "b" else 0
    write(tmp_path, 0, 17, 1_000_000_000, 5000.0, gpu=True)
    write(tmp_path, 1, 17, ahead_ns, 1_005_000.0 + 40.0, gpu=False)
    trace = merged(tmp_path, ["a", host])
    events = trace["traceEvents"]
    names = {e["pid"]: e["args"]["name"] for e in events if e["name"] == "process_name"}
    assert names == {0: "rank 0 (a)", 1: "rank 0 (a) GPU 0", 1000: f"rank 1 ({host})"}
    assert {event["pid"] for event in events} == set(names)
    flows = [(event["cat"], event["name"], event["id"]) for event in events if event["ph"] == "s"]
    assert len(set(flows)) == len(flows) == 4
    assert min(event["ts"] for event in events if event["ph"] == "X") == 0.0
    first, second = ends(trace, 0), ends(trace, 1000)
    assert first == [800.0, 1800.0]
    # The rank on the same machine began its steps 40 us later, which is true; the clock of the
    # other machine is only known by the collectives, which end together.
    assert second == ([839.0, 1839.0] if host == "a" else [800.0, 1800.0])
    clocks = trace["otherData"]["clock_differences_s"]
    assert clocks == ({} if host == "a" else {"rank 1": pytest.approx(3600.000039, abs=1e-9)})


def test_a_trace_that_is_none_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    write_whole(trace_path(tmp_path, FIRST, 0), gzip.compress(b"[]"))
    with pytest.raises(ValueError, match="not a trace"):
        merged(tmp_path, ["a"])
    assert [p.name for p in (tmp_path / "train_eval_trace").iterdir()] == ["from-step-100"]


def test_traces_on_object_storage_become_one(tmp_path: Path) -> None:
    write(tmp_path, 0, 17, 0, 5.0, gpu=False)
    objects = Objects()
    run = ObjectPath(fs.PyFileSystem(objects), "bucket/run", "fake://bucket/run")
    trace_path(run, FIRST, 0).upload(Path(str(trace_path(tmp_path, FIRST, 0))))
    merge_traces(run, [RankAnswer(1, 0, "a", FIRST, END)])
    assert list(objects.objects) == ["bucket/run/train_eval_trace/steps-100-102.trace.json.gz"]
