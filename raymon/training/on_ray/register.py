"""Checkpoints that Ray Train keeps account of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import ray.train
import torch
from ray.train import ValidationTaskConfig

from raymon.storage import storage_path
from raymon.training.checkpoint.manifest import step_of
from raymon.training.on_ray.storage import in_ray
from raymon.training.rank.worker_context import SavedCheckpoint


class RayRegister:
    """Reports checkpoints to Ray Train, which keeps account of them.

    `ray.train.report` waits for Ray's controller, so it runs on a thread of its own. All its
    calls are made there, since every one of them is a barrier over the ranks.

    Args:
        validates: Checkpoints without scores are scored by the trainer's validation.
    """

    def __init__(self, *, validates: bool = False) -> None:
        self._validates = validates
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="raymon-register")
        self._reports: list[Future[None]] = []

    def begin(self, checkpoints: Sequence[SavedCheckpoint]) -> None:
        """Reports those that Ray does not know of."""
        known = ray.train.get_checkpoint()
        known_step = -1 if known is None else step_of(Path(known.path))
        for checkpoint in checkpoints:
            if checkpoint.step > known_step:
                self.register(str(checkpoint.path), checkpoint.step, checkpoint.metrics)

    def register(self, directory: str, step: int, scores: Mapping[str, float]) -> None:
        """Reports a checkpoint. Where the run went back before a step that Ray knows of, it has two
        of one directory, which is of no account: it deletes neither."""
        for report in self._reports:
            if report.done():
                report.result()
        metrics = {**for_ray(scores), "global_step": step}
        validation: ValidationTaskConfig | bool = False
        if self._validates and not scores:
            validation = ValidationTaskConfig({"threads": torch.get_num_threads()})
        self._reports.append(self._thread.submit(_report, directory, metrics, validation))

    def ask_for_preemption(self) -> Future[str | None]:
        """Asks Ray Train, which hears of it from the cluster; 2 ms, on the thread of reports."""
        return self._thread.submit(_preemption)

    def close(self) -> None:
        """Waits for the reports that are under way."""
        self._thread.shutdown()
        for report in self._reports:
            report.result()


def for_ray(scores: Mapping[str, float]) -> dict[str, float]:
    """Scores as Ray keeps them: finite, since it would read no others again."""
    return {name: value for name, value in scores.items() if math.isfinite(value)}


def _report(
    directory: str, metrics: Mapping[str, Any], validation: ValidationTaskConfig | bool
) -> None:
    path = storage_path(directory)
    # The very one of the run: one that is made in another thread is not taken for the same.
    storage = ray.train.get_context().get_storage()
    ray.train.report(
        dict(metrics),
        checkpoint=ray.train.Checkpoint(in_ray(path)[0], storage.storage_filesystem),
        checkpoint_dir_name=path.name,
        checkpoint_upload_mode=ray.train.CheckpointUploadMode.NO_UPLOAD,
        validation=validation,
    )


def _preemption() -> str | None:
    info = ray.train.get_preemption_info()
    if info is None:
        return None
    ranks = ", ".join(map(str, info.preempted_ranks))
    at = datetime.fromtimestamp((info.deadline_ms or 0) / 1e3)
    when = f"at {at:%H:%M:%S}" if info.deadline_ms else "soon"
    return f"the cluster takes the nodes of ranks {ranks} away {when}"
