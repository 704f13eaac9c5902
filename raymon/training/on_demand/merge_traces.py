"""Merges the traces of ranks into one file, which Perfetto and chrome://tracing open."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import IO, Any

from raymon.storage import StoragePath, drafted, to_json
from raymon.training.loop.profiling import TRACE_DIRECTORY
from raymon.training.loop.requested_trace import trace_path
from raymon.wire import RankAnswer

Event = dict[str, Any]
Ends = dict[tuple[str, str, int], float]
"""When collectives ended, in microseconds, by step, name, and number in the step."""

_PIDS = 1000
"""Ids of processes that a rank has: its own, and one for each GPU."""

_STEP = "ProfilerStep#"


def merge_traces(model_dir: StoragePath, traced: Sequence[RankAnswer]) -> StoragePath:
    """Merges the traces of ranks, and removes them.

    Each rank has processes of its own, named "rank 3 (host)" and "rank 3 (host) GPU 0". The clocks
    of other machines than the one of the first rank are set by the collectives of the steps, which
    end on all ranks at about the same time; those of one machine are the same.

    Args:
        model_dir: Directory of the run.
        traced: Answers of the ranks that have traced, in order; all of one request.

    Returns:
        The file.

    Raises:
        OSError: A trace cannot be read, or the file not written.
        ValueError: A trace is none.
    """
    step = traced[0].step
    name = f"steps-{step}-{traced[0].end_step}.trace.json.gz"
    merged = model_dir / TRACE_DIRECTORY / name
    first: Ends = {}
    begin_us, clocks = 0.0, {}
    with drafted(merged, replace=True) as draft, gzip.open(draft, "wb", compresslevel=5) as file:
        separator = b'{"traceEvents": [\n'
        # One after the other, as that of one rank may take gigabytes in memory.
        for answer in traced:
            trace = _read(trace_path(model_dir, step, answer.rank))
            base_us = float(trace.get("baseTimeNanoseconds", 0)) / 1e3
            events = [event for event in trace["traceEvents"] if isinstance(event.get("pid"), int)]
            del trace
            ends = {key: end + base_us for key, end in _collective_ends(events).items()}
            shift_us = 0.0
            if answer is traced[0]:
                first, begin_us = ends, base_us + min(_times(events), default=0.0)
            elif answer.host != traced[0].host:
                shift_us = _clock_difference(first, ends)
                clocks[f"rank {answer.rank}"] = shift_us / 1e6
            for event in _renamed(events, answer, base_us - begin_us - shift_us):
                file.write(separator + to_json(event).encode())
                separator = b",\n"
        _end(file, separator, clocks)
    for answer in traced:
        with suppress(OSError):
            trace_path(model_dir, step, answer.rank).unlink()
    directory = trace_path(model_dir, step, 0).parent
    if isinstance(directory, Path):
        with suppress(OSError):
            directory.rmdir()
    return merged


def _read(path: StoragePath) -> Mapping[str, Any]:
    trace = json.loads(gzip.decompress(path.read_bytes()))
    if not isinstance(trace, dict) or not isinstance(trace.get("traceEvents"), list):
        raise ValueError(f"{path}: not a trace")
    return trace


def _end(file: gzip.GzipFile | IO[bytes], separator: bytes, clocks: Mapping[str, float]) -> None:
    opening = separator if separator.startswith(b"{") else b""
    clock_s = to_json({"clock_differences_s": clocks})
    file.write(opening + b'\n], "displayTimeUnit": "ms", "otherData": ' + clock_s.encode() + b"}\n")


def _times(events: Sequence[Event]) -> Iterator[float]:
    return (event["ts"] for event in events if event["ph"] != "M" and "ts" in event)


def _renamed(events: Sequence[Event], answer: RankAnswer, shift_us: float) -> Iterator[Event]:
    """Yields events with ids that no other rank has, and times moved by `shift_us`."""
    used = {event["pid"] for event in events if event["ph"] != "M"}
    labels = {
        event["pid"]: str(event["args"].get("labels", ""))
        for event in events
        if event["ph"] == "M" and event["name"] == "process_labels"
    }
    order = sorted(used, key=lambda pid: (labels.get(pid) != "CPU", pid))
    pids = {pid: answer.rank * _PIDS + place for place, pid in enumerate(order)}
    for pid, new in pids.items():
        label = labels.get(pid, "")
        gpu = f" {label}" if label.startswith("GPU") else ""
        name = f"rank {answer.rank} ({answer.host}){gpu}"
        yield _metadata("process_name", new, {"name": name})
        yield _metadata("process_sort_index", new, {"sort_index": new})
    for event in events:
        if event["pid"] not in pids or str(event["name"]).startswith("process_"):
            continue
        moved = {**event, "pid": pids[event["pid"]]}
        if "ts" in event:
            moved["ts"] = round(event["ts"] + shift_us, 3)
        if "id" in event:
            moved["id"] = f"{answer.rank}.{event['id']}"
        yield moved


def _metadata(name: str, pid: int, arguments: Mapping[str, Any]) -> Event:
    return {"ph": "M", "name": name, "pid": pid, "tid": 0, "args": dict(arguments)}


def _collective_ends(events: Sequence[Event]) -> Ends:
    steps = sorted(
        (event["ts"], event["ts"] + event["dur"], event["name"])
        for event in events
        if event["ph"] == "X" and str(event["name"]).startswith(_STEP)
    )
    of_kernels = [e for e in events if e.get("cat") == "kernel" and "nccl" in e["name"].lower()]
    of_hosts = [e for e in events if e["ph"] == "X" and str(e["name"]).startswith("gloo:")]
    ends: Ends = {}
    seen: Counter[tuple[str, str]] = Counter()
    for event in sorted(of_kernels or of_hosts, key=lambda event: event["ts"]):
        step = next((name for begin, end, name in steps if begin <= event["ts"] < end), None)
        if step is not None:
            key = step, str(event["name"])
            ends[(*key, seen[key])] = event["ts"] + event.get("dur", 0.0)
            seen[key] += 1
    return ends


def _clock_difference(first: Ends, other: Ends) -> float:
    """Returns by how many microseconds the clock of another machine is ahead; 0 if unknown."""
    # A step in which one rank has more collectives than another says nothing.
    differences = [other[key] - first[key] for key in first.keys() & other.keys()]
    return median(differences) if differences else 0.0
