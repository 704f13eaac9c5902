"""Traces of `torch.profiler`."""

from __future__ import annotations

import logging
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import torch
from torch.profiler import ProfilerActivity, profile, schedule, tensorboard_trace_handler

from raymon.errors import os_reason
from raymon.storage import ObjectPath, StoragePath, upload

_log = logging.getLogger("raymon")

TRACE_DIRECTORY = "train_eval_trace"
_WAIT, _WARMUP, _ACTIVE = 5, 3, 10


def silence_tracer() -> None:
    """Keeps the lines off the terminal that the tracer of torch prints whenever it begins and ends.

    To be called before the first trace of a process; a level that is set stays.
    """
    os.environ.setdefault("KINETO_LOG_LEVEL", "6")


class StepProfiler:
    """Traces some early steps into `train_eval_trace/`.

    With object storage the trace is uploaded when the run ends.

    Args:
        model_dir: Directory of the run.
        enabled: Whether to trace at all.
    """

    def __init__(self, model_dir: StoragePath, enabled: bool) -> None:
        self._profile: profile | None = None
        self._at_end = ExitStack()
        if not enabled:
            return
        directory = model_dir / TRACE_DIRECTORY
        if isinstance(directory, Path):
            self._directory = directory
        else:
            here = tempfile.TemporaryDirectory(prefix="raymon-")
            self._directory = Path(self._at_end.enter_context(here))
            self._at_end.callback(_upload, self._directory, directory)
        silence_tracer()
        activities = [ProfilerActivity.CPU]
        if torch.cuda.is_available():
            activities.append(ProfilerActivity.CUDA)
        self._profile = profile(
            activities=activities,
            schedule=schedule(wait=_WAIT, warmup=_WARMUP, active=_ACTIVE, repeat=1),
            on_trace_ready=tensorboard_trace_handler(str(self._directory)),
        )

    def __enter__(self) -> StepProfiler:
        if self._profile is not None:
            self._profile.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._profile is not None:
            self._profile.__exit__(kind, error, traceback)
        self._at_end.close()

    def step(self) -> None:
        """Marks the end of a step."""
        if self._profile is not None:
            self._profile.step()


def _upload(here: Path, directory: ObjectPath) -> None:
    try:
        upload(here, directory)
    except OSError as error:  # a run does not fail because of its traces
        _log.warning("%s: cannot be written: %s", directory, os_reason(error))
