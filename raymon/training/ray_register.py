"""Checkpoints that Ray Train keeps account of."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import ray.train
import torch
from ray.train import ValidationTaskConfig

from raymon.protos.export_pb2 import ExportConfig
from raymon.storage import ObjectPath, storage_path
from raymon.training.checkpoint import step_of


class RayRegister:
    """Reports checkpoints to Ray Train, which keeps account of them.

    `ray.train.report` waits for Ray's controller, so it runs on a thread of its own. All its
    calls are made there, since every one of them is a barrier over the ranks.

    Args:
        export: Says which metric ranks checkpoints.
        validates: Checkpoints without scores are scored by the trainer's validation.
    """

    def __init__(self, export: ExportConfig, *, validates: bool = False) -> None:
        self._export = export
        self._validates = validates
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
        metrics = {**for_ray(scores, self._export), "global_step": step}
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


def for_ray(scores: Mapping[str, float], export: ExportConfig) -> dict[str, float]:
    """Scores as Ray keeps them: finite, since it would read no others again, and always with the
    one that ranks; where that is no number, it is worse than any."""
    finite = {name: value for name, value in scores.items() if math.isfinite(value)}
    worst = -sys.float_info.max if export.metric_larger_is_better else sys.float_info.max
    return {export.best_exporter_metric: worst, **finite}


def _report(
    directory: str, metrics: Mapping[str, Any], validation: ValidationTaskConfig | bool
) -> None:
    path = storage_path(directory)
    on_storage = (path.inner, path.filesystem) if isinstance(path, ObjectPath) else (path,)
    ray.train.report(
        dict(metrics),
        checkpoint=ray.train.Checkpoint(*on_storage),
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
