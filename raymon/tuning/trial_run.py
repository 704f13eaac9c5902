"""The run of a trial, on a thread, with what it reports in a queue."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import pyarrow as pa

from raymon.errors import RaymonError, reason
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.reporter import Summary
from raymon.results import Evaluation, Published, Snapshot
from raymon.storage import StoragePath, storage_path, write_whole
from raymon.training.checkpoint.manifest import newest_checkpoint
from raymon.training.on_demand.mailbox import answer_path, request_path
from raymon.training.on_demand.request import Request
from raymon.training.train import train
from raymon.wire import STOP

_log = logging.getLogger("raymon")

_LOOK_S = 0.2


@dataclass(frozen=True)
class Report:
    """The numbers of a trial at a step: its metrics by name."""

    step: int
    values: Mapping[str, float]


@dataclass(frozen=True)
class End:
    """The end of the run of a trial: its summary, or why it failed, in one line."""

    summary: Summary | None
    error: str | None = None


def stop_runs(
    directories: Sequence[StoragePath], is_over: Callable[[StoragePath], bool], patience_s: float
) -> bool:
    """Asks runs to save and stop, each at the same step on all its ranks, and waits for that.

    Args:
        directories: Directories of the runs.
        is_over: Whether the run in a directory is over.
        patience_s: Seconds that they have.

    Returns:
        Whether all are over.
    """
    request = Request(STOP)
    deadline = time.monotonic() + patience_s
    left = list(directories)
    while (left := [each for each in left if not is_over(each)]) and time.monotonic() < deadline:
        for directory in left:
            # A run that begins removes what was asked before.
            with suppress(OSError, pa.ArrowException):
                path = request_path(directory, request.id)
                if not path.exists():
                    write_whole(path, request.to_bytes(), durable=False)
        time.sleep(_LOOK_S)
    for directory in directories:
        for path in (request_path(directory, request.id), answer_path(directory, request.id)):
            with suppress(OSError, pa.ArrowException):
                path.unlink(missing_ok=True)
    return not left


class TrialRun:
    """Trains on a thread of its own until it is done, or is asked to stop.

    Args:
        config: Config of the run.
        in_training: Whether the numbers of the training are reported, and not the evaluations.
        at_checkpoints: Whether only numbers of steps are reported that have a complete checkpoint.
    """

    def __init__(
        self, config: PipelineConfig, *, in_training: bool = False, at_checkpoints: bool = False
    ) -> None:
        self._config = config
        self._model_dir: StoragePath = storage_path(config.model_dir)
        self._in_training = in_training
        self._at_checkpoints = at_checkpoints
        self._reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
        self._waiting: dict[int, Report] = {}
        self._restored = 0
        self._end: End | None = None
        self._thread = threading.Thread(target=self._train, name="raymon-trial", daemon=True)

    def start(self) -> None:
        """Begins, or goes on from the newest checkpoint if there is one."""
        self._thread.start()

    def next(self) -> Report | End:
        """Returns the next report, or how the run ended; waits for it."""
        while True:
            # Seen before the queue is: all reports of a run that is over are in it.
            is_over = not self._thread.is_alive()
            with suppress(queue.Empty):
                report = self._reports.get(timeout=0 if is_over else _LOOK_S)
                if not self._at_checkpoints:
                    return report
                self._waiting[report.step] = report
            ready = self._with_checkpoint() if self._waiting else None
            if ready is not None:
                return ready
            if is_over and self._reports.empty():
                return self._end or End(None, "its thread ended without a word")

    def stop(self, patience_s: float) -> bool:
        """Asks the run to save and stop at the same step on all ranks.

        Args:
            patience_s: Seconds that it has.

        Returns:
            Whether it is over.
        """
        return stop_runs([self._model_dir], lambda _: not self._thread.is_alive(), patience_s)

    def _train(self) -> None:
        try:
            newest = newest_checkpoint(self._model_dir)
            self._restored = 0 if newest is None else newest.step
            summary = train(self._config, resume=newest is not None, listener=self._take)
            self._end = End(summary, None)
        except RaymonError as error:
            self._end = End(None, reason(error))
        except BaseException as error:  # a thread has nobody above it
            _log.error("the trial failed: %s", reason(error))
            self._end = End(None, reason(error))

    def _take(self, published: Published) -> None:
        if isinstance(published, Evaluation) and not self._in_training:
            self._put(published.step, published.metrics)
        elif isinstance(published, Snapshot) and self._in_training:
            self._put(published.end_step, {**published.all_losses, **published.metrics})

    def _put(self, step: int, values: Mapping[str, float]) -> None:
        # A run that goes on publishes again what its checkpoint has.
        if step > self._restored:
            self._reports.put(Report(step, dict(values)))

    def _with_checkpoint(self) -> Report | None:
        """Returns the next report of a step whose checkpoint is complete."""
        newest = None
        with suppress(RaymonError, OSError):
            newest = newest_checkpoint(self._model_dir)
        ready = min(self._waiting)
        if newest is None or ready > newest.step:
            return None
        return self._waiting.pop(ready)
