"""Steps are traced when asked for, and what fails is answered."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.profiler import profile

from raymon.training.loop.requested_trace import RequestedTrace, trace_path
from raymon.wire import PROFILE, Profiling, RankAnswer, RankRequest
from tests.forked import run_ranks

LAYER = torch.nn.Linear(4, 4)


class Loop:
    """A loop from step 10 on, whose rank is 1."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.answers: list[RankAnswer] = []
        self.trace = RequestedTrace(directory, 1, self.answers.append)
        self.step = 10

    def ask(self, profiling: Profiling) -> None:
        self.trace.begin(RankRequest(3, PROFILE, profiling), self.step)

    def run(self, steps: int) -> None:
        for _ in range(steps):
            LAYER(torch.ones(2, 4)).sum().backward()
            self.step += 1
            self.trace.step(self.step)

    def written(self) -> list[dict[str, Any]]:
        with gzip.open(trace_path(self.directory, self.answers[-1].step, 1)) as file:
            events: list[dict[str, Any]] = json.load(file)["traceEvents"]
        return events


def test_as_many_steps_are_traced_as_asked_for(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    loop.run(2)
    loop.ask(Profiling(3, (1, 2), shapes=True, memory=True))
    loop.run(20)
    loop.trace.close()
    ((answer),) = loop.answers
    assert (answer.number, answer.rank, answer.failure) == (3, 1, None)
    assert (answer.step, answer.end_step) == (13, 16)
    events = loop.written()
    steps = [event for event in events if str(event["name"]).startswith("ProfilerStep#")]
    assert len(steps) == 3
    linear = [event for event in events if event["name"] == "aten::linear"]
    assert len(linear) == 3
    assert linear[0]["args"]["Input Dims"][0] == [2, 4]
    assert any(event["name"] == "[memory]" for event in events)
    assert not any(event.get("cat") == "python_function" for event in events)


def test_a_rank_that_is_not_asked_traces_nothing(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    loop.ask(Profiling(3, (0,)))
    loop.run(6)
    loop.trace.close()
    assert loop.answers == []
    assert list(tmp_path.iterdir()) == []


def test_one_trace_at_a_time(tmp_path: Path) -> None:
    loop = Loop(tmp_path)
    with profile():
        loop.ask(Profiling(3))
        loop.run(6)
    assert "another trace" in str(loop.answers[-1].failure)
    loop.ask(Profiling(50))
    loop.run(5)
    loop.ask(Profiling(2))
    assert "another trace" in str(loop.answers[-1].failure)
    # Training ends before all of them are made.
    loop.trace.close()
    assert loop.answers[-1].failure is None
    assert (loop.answers[-1].step, loop.answers[-1].end_step) == (17, 21)


def trace_with_stacks(directory: Path) -> None:
    loop = Loop(directory)
    loop.ask(Profiling(3, stacks=True))
    loop.run(5)
    loop.trace.close()
    assert loop.answers[-1].failure is None, loop.answers
    assert any(event.get("cat") == "python_function" for event in loop.written())


def test_stacks_are_traced_where_asked_for(tmp_path: Path) -> None:
    # The tracer of torch looks at all threads of a process, so it has one of its own.
    run_ranks(trace_with_stacks, [(tmp_path,)])


def test_stacks_of_modules_in_a_path_that_is_no_text_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path, "/modules/\udcff"])
    loop = Loop(tmp_path)
    loop.ask(Profiling(1, stacks=True))
    assert "'/modules/\\udcff'" in str(loop.answers[-1].failure)
    loop.ask(Profiling(1))
    loop.run(4)
    loop.trace.close()
    assert loop.answers[-1].failure is None


def test_what_cannot_be_written_is_answered(tmp_path: Path) -> None:
    (tmp_path / "train_eval_trace").write_text("a file in the way")
    loop = Loop(tmp_path)
    loop.ask(Profiling(1))
    loop.run(3)
    loop.trace.close()
    assert loop.answers[-1].failure is not None
    loop.ask(Profiling(1))
    loop.trace.close()
    assert loop.answers[-1].failure is not None
