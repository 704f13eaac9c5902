"""Checkpoints that Ray Train keeps account of."""

from __future__ import annotations

import math
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import ray.train

from raymon.storage import ObjectPath, storage_path
from raymon.training.checkpoint import step_of


class RayRegister:
    """Reports checkpoints to Ray Train, which keeps account of them.

    `ray.train.report` waits for Ray's controller, so it runs on a thread of its own. All its
    calls are made there, since every one of them is a barrier over the ranks.

    Args:
        score: The metric that ranks checkpoints; NaN is reported where there is none.
    """

    def __init__(self, score: str) -> None:
        self._score = score
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="raymon-register")
        self._reports: list[Future[None]] = []
        known = ray.train.get_checkpoint()
        self._known_step = -1 if known is None else step_of(Path(known.path))

    def register(self, directory: str, step: int, scores: Mapping[str, float]) -> None:
        """Reports a checkpoint, unless Ray has one of the step: it would count it twice, and delete
        the directory of both for one of them."""
        if step <= self._known_step:
            return
        for report in self._reports:
            if report.done():
                report.result()
        metrics = {self._score: math.nan, **scores, "global_step": step}
        self._reports.append(self._thread.submit(_report, directory, metrics))

    def close(self) -> None:
        """Waits for the reports that are under way."""
        self._thread.shutdown()
        for report in self._reports:
            report.result()


def _report(directory: str, metrics: Mapping[str, Any]) -> None:
    path = storage_path(directory)
    on_storage = (path.inner, path.filesystem) if isinstance(path, ObjectPath) else (path,)
    ray.train.report(
        dict(metrics),
        checkpoint=ray.train.Checkpoint(*on_storage),
        checkpoint_dir_name=path.name,
        checkpoint_upload_mode=ray.train.CheckpointUploadMode.NO_UPLOAD,
    )
