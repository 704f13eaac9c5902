"""A trace that is asked for has the kernels of the GPU, in a process of their own."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import torch

from raymon.training.loop.requested_trace import RequestedTrace
from raymon.training.on_demand.merge_traces import merge_traces
from raymon.wire import PROFILE, Profiling, RankAnswer, RankRequest

pytestmark = pytest.mark.gpu


def test_a_trace_has_the_kernels_of_the_gpu(tmp_path: Path, device: torch.device) -> None:
    answers: list[RankAnswer] = []
    trace = RequestedTrace(tmp_path, 2, answers.append)
    trace.begin(RankRequest(1, PROFILE, Profiling(3, shapes=True, memory=True)), 0)
    layer = torch.nn.Linear(64, 64, device=device)
    for step in range(1, 8):
        layer(torch.ones(32, 64, device=device)).sum().backward()
        trace.step(step)
    trace.close()
    assert answers[0].failure is None
    with gzip.open(str(merge_traces(tmp_path, answers))) as file:
        events = json.load(file)["traceEvents"]
    names = {e["pid"]: e["args"]["name"] for e in events if e["name"] == "process_name"}
    host = f"rank 2 ({answers[0].host})"
    assert names[2000] == host
    kernels = {names[event["pid"]] for event in events if event.get("cat") == "kernel"}
    assert kernels == ({f"{host} GPU 0"} if device.type == "cuda" else set())
