"""The one thread of a worker that talks to Ray Train."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import ray.train
import torch
from ray.train import ValidationTaskConfig

from raymon.storage import storage_path
from raymon.training.checkpoint.manifest import step_of
from raymon.training.on_ray.storage import in_ray
from raymon.training.rank.run_controller import SavedCheckpoint


class RayTrainThread:
    """Registers checkpoints with Ray Train's controller, and asks it for preemption notices.

    Each call to the controller is a barrier over the ranks, and waits for the controller. So all of
    them are made on one thread, in the order in which the training thread asked for them, which is
    the same on every rank: a checkpoint that is still being written holds up what was asked for
    after it, on every rank alike.

    Args:
        validates: Whether checkpoints without scores are scored by the trainer's validation.
    """

    def __init__(self, *, validates: bool = False) -> None:
        self._validates = validates
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="raymon-ray-train")
        self._reports: list[Future[None]] = []

    def begin(self, checkpoints: Sequence[SavedCheckpoint]) -> None:
        """Registers the checkpoints that Ray Train does not know of."""
        known = ray.train.get_checkpoint()
        known_step = -1 if known is None else step_of(Path(known.path))
        complete: Future[str | None] = Future()
        complete.set_result(None)
        for checkpoint in checkpoints:
            if checkpoint.step > known_step:
                self.register(str(checkpoint.path), checkpoint.step, checkpoint.metrics, complete)

    def register(
        self,
        directory: str,
        step: int,
        scores: Mapping[str, float],
        failure: Future[str | None],
    ) -> None:
        """Registers a checkpoint once it is complete.

        If the run went back to before a step that Ray Train knows, Ray Train has two checkpoints of
        one directory. This does no harm: it deletes neither.
        """
        for report in self._reports:
            if report.done():
                report.result()
        metrics = {**for_ray(scores), "global_step": step}
        validation: ValidationTaskConfig | bool = False
        if self._validates and not scores:
            validation = ValidationTaskConfig({"threads": torch.get_num_threads()})
        self._reports.append(self._thread.submit(_report, directory, metrics, validation, failure))

    def ask_for_preemption(self) -> Future[str | None]:
        """Asks Ray Train, which hears of preemption from the cluster; takes 2 ms."""
        return self._thread.submit(_preemption)

    def close(self) -> None:
        """Waits for the calls that are in progress."""
        self._thread.shutdown()
        for report in self._reports:
            report.result()


def for_ray(scores: Mapping[str, float]) -> dict[str, float]:
    """Returns the finite scores, because Ray could not read the others again."""
    return {name: value for name, value in scores.items() if math.isfinite(value)}


def _report(
    directory: str,
    metrics: Mapping[str, Any],
    validation: ValidationTaskConfig | bool,
    failure: Future[str | None],
) -> None:
    if failure.exception() is not None or failure.result() is not None:
        return  # on every rank, because all ranks agree whether a save succeeded
    path = storage_path(directory)
    # The file system of the run itself: for Ray Train, one made in another thread is another.
    storage = ray.train.get_context().get_storage()
    ray.train.report(
        dict(metrics),
        checkpoint=ray.train.Checkpoint(in_ray(path)[0], storage.storage_filesystem),
        checkpoint_dir_name=path.name,
        checkpoint_upload_mode=ray.train.CheckpointUploadMode.NO_UPLOAD,
        validation=validation,
    )


def _preemption() -> str | None:
    # If Ray Train cannot be asked, there is no notice.
    with suppress(Exception):
        info = ray.train.get_preemption_info()
        if info is not None:
            ranks = ", ".join(map(str, info.preempted_ranks))
            at = datetime.fromtimestamp((info.deadline_ms or 0) / 1e3)
            when = f"at {at:%H:%M:%S}" if info.deadline_ms else "soon"
            return f"the cluster takes the nodes of ranks {ranks} away {when}"
    return None
