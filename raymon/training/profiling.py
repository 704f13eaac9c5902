"""Traces of torch.profiler."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import torch
from torch.profiler import ProfilerActivity, profile, schedule, tensorboard_trace_handler

TRACE_DIRECTORY = "train_eval_trace"
_WAIT, _WARMUP, _ACTIVE = 5, 3, 10


class StepProfiler:
    """Traces a few steps after the first ones, into `train_eval_trace/`.

    Args:
        model_dir: Directory of the run.
        enabled: False: does nothing.
    """

    def __init__(self, model_dir: Path, enabled: bool) -> None:
        self._profile: profile | None = None
        if not enabled:
            return
        activities = [ProfilerActivity.CPU]
        if torch.cuda.is_available():
            activities.append(ProfilerActivity.CUDA)
        self._profile = profile(
            activities=activities,
            schedule=schedule(wait=_WAIT, warmup=_WARMUP, active=_ACTIVE, repeat=1),
            on_trace_ready=tensorboard_trace_handler(str(model_dir / TRACE_DIRECTORY)),
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

    def step(self) -> None:
        """Says that a step is over."""
        if self._profile is not None:
            self._profile.step()
