"""Traces of `torch.profiler` that people ask for while a run goes on."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from importlib import import_module
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile, schedule

from raymon.errors import reason
from raymon.storage import StoragePath, drafted
from raymon.training.loop.profiling import TRACE_DIRECTORY, silence_tracer
from raymon.wire import RankAnswer, RankRequest

_WRITE_S = 60.0
"""Seconds that a trace has to be written at the end of training."""


def prepare_to_trace(request: RankRequest) -> None:
    """Imports what the profiler needs, so that the first trace of a process does not stand still.

    The profiler itself would import the compiler of torch, which takes 3 s, on the training thread.
    """
    import_module("torch._inductor")


def trace_path(model_dir: StoragePath, step: int, rank: int) -> StoragePath:
    """Returns the file of the trace of a rank, whose first traced step follows `step` steps."""
    return model_dir / TRACE_DIRECTORY / f"from-step-{step}" / f"rank-{rank}.pt.trace.json.gz"


class RequestedTrace:
    """Traces the steps of this rank that a request asks for, and answers it.

    One step, in which the profiler starts, goes by before the first that is traced. The training
    thread pays for what the profiler records; a thread writes it. What fails is answered, and never
    raised.

    Args:
        model_dir: Directory of the run.
        rank: This rank.
        answer: Function that sends an answer; returns at once.
    """

    def __init__(
        self, model_dir: StoragePath, rank: int, answer: Callable[[RankAnswer], None]
    ) -> None:
        self._model_dir = model_dir
        self._rank = rank
        self._answer = answer
        self._profile: profile | None = None
        self._request: RankRequest | None = None
        self._first = self._now = 0
        self._thread: ThreadPoolExecutor | None = None
        self._writing: list[Future[None]] = []

    @property
    def goes_on(self) -> bool:
        """Whether steps are being traced."""
        return self._profile is not None

    def begin(self, request: RankRequest, step: int) -> None:
        """Begins to trace, if this rank is asked to.

        Args:
            request: What is asked for.
            step: Steps that the model has made.
        """
        asked = request.profiling
        if asked is None or not asked.has(self._rank):
            return
        self._now = step
        if self._profile is not None or torch._C._autograd._profiler_enabled():
            self._fail(request, step, "another trace of this rank is being made")
            return
        unreadable = _unreadable_path() if asked.stacks else None
        if unreadable is not None:
            why = f"{unreadable!r}, where Python looks for modules, is not text in UTF-8"
            self._fail(request, step, f"stacks cannot be traced: {why}")
            return
        self._request, self._first = request, step + 1
        silence_tracer()
        activities = [ProfilerActivity.CPU]
        if torch.cuda.is_available():
            activities.append(ProfilerActivity.CUDA)
        try:
            self._profile = profile(
                activities=activities,
                schedule=schedule(wait=0, warmup=1, active=asked.steps, repeat=1),
                on_trace_ready=self._take,
                record_shapes=asked.shapes,
                with_stack=asked.stacks,
                profile_memory=asked.memory,
            )
            self._profile.start()
        except Exception as error:  # a run does not fail because of its traces
            self._drop(error)

    def step(self, step: int) -> None:
        """Marks the end of a step.

        Args:
            step: Steps that the model has made.
        """
        if self._profile is None:
            return
        self._now = step
        try:
            self._profile.step()
        except Exception as error:
            self._drop(error)

    def close(self) -> None:
        """Ends a trace that is not complete, and waits until what was traced is written."""
        if self._profile is not None:
            try:
                self._profile.stop()
            except Exception as error:
                self._drop(error)
        if self._profile is not None:
            # Training ended before the first step that was to be traced.
            self._drop(RuntimeError("training ended first"))
        wait(self._writing, timeout=_WRITE_S)

    def _take(self, traced: profile) -> None:
        """Is called by the profiler, on the training thread, with what it has recorded."""
        request, self._request, self._profile = self._request, None, None
        assert request is not None
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="raymon-trace")
        # In a box that the thread empties: what was recorded is large, and goes once it is written.
        write = partial(self._write, [traced], request, self._first, self._now)
        self._writing = [w for w in self._writing if not w.done()]
        self._writing.append(self._thread.submit(write))

    def _write(self, box: list[profile], request: RankRequest, first: int, end: int) -> None:
        failure = None
        try:
            path = trace_path(self._model_dir, first, self._rank)
            with drafted(path, replace=True) as draft:
                _export(box.pop(), draft)
        except Exception as error:
            failure = reason(error)
        self._send(request, first, end, failure)

    def _drop(self, error: Exception) -> None:
        request, self._request, self._profile = self._request, None, None
        if request is not None:
            self._fail(request, self._first, reason(error))

    def _fail(self, request: RankRequest, step: int, why: str) -> None:
        self._send(request, step, step, why)

    def _send(self, request: RankRequest, step: int, end_step: int, failure: str | None) -> None:
        self._answer(
            RankAnswer(request.number, self._rank, socket.gethostname(), step, end_step, failure)
        )


def _unreadable_path() -> str | None:
    # The tracer of stacks takes these paths from Python as text, when it has recorded everything.
    for path in sys.path:
        try:
            os.path.abspath(path).encode()
        except UnicodeEncodeError:
            return path or os.getcwd()
    return None


def _export(traced: profile, path: Path) -> None:
    # The profiler compresses what has this ending alone.
    written = path.with_name(f"{path.name}.json.gz")
    try:
        traced.export_chrome_trace(str(written))
        os.replace(written, path)
    finally:
        written.unlink(missing_ok=True)
