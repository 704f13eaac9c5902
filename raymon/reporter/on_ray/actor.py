"""The reporter as a Ray actor."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import warnings
from collections.abc import Mapping

import ray
from ray import cloudpickle

from raymon import ray_internals
from raymon.log import LogFiles, ProcessLog, formatter_of, set_log_context, set_up_logging
from raymon.metrics import TrainMetricWrapper
from raymon.reporter.on_ray.letterbox import Letterbox
from raymon.reporter.on_ray.prometheus import PrometheusExporter
from raymon.reporter.publishing.publications import Cursor
from raymon.reporter.reporter import Reporter
from raymon.results import (
    AttemptFailed,
    CheckpointSaved,
    Evaluation,
    Failure,
    Finding,
    Notice,
    Published,
    RankState,
    ReporterStatus,
    RunEnded,
    Snapshot,
)
from raymon.safe_stream import SafeStream
from raymon.wire import Ack, RankAnswer, RankRequest

_log = logging.getLogger("raymon")

Metrics = Mapping[str, TrainMetricWrapper]

ABANDONED_AFTER_S = 120.0
"""Seconds without a poll after which the actor assumes that the driver is gone, and ends."""

_CHECKS = 10


class ReportingActor:
    """A Ray actor that runs a `Reporter`, and ends when the run is over or its driver is gone.

    Ray restarts it, on any node, when its process or its node dies. It then continues from the
    storage of the run, and reads the metrics of the attempt from Ray's key-value store.

    Args:
        run: Name of the run, unique on the cluster, such as its `model_dir`.
        reporter: The reporter, before its first call.
        use_prometheus: Whether the numbers are exported to the metrics endpoint of the node as
            well.
        log_files: The log files of the run; None for none.
    """

    def __init__(
        self,
        run: str,
        reporter: Reporter,
        use_prometheus: bool = False,
        log_files: LogFiles | None = None,
    ) -> None:
        # The dashboard of Ray shows first what processes write to standard error.
        shown = logging.StreamHandler(SafeStream(sys.stderr))
        shown.setFormatter(formatter_of("text"))
        set_up_logging(handler=shown)
        self._log = ProcessLog("reporter", log_files).__enter__()
        self._run = run
        self._reporter = reporter
        self._letterbox = Letterbox()
        self._exporter = PrometheusExporter(run) if use_prometheus else None
        if self._exporter is not None:
            reporter.add_sink(self._exporter.sink)
        reporter.call_on_notice(_log_notice)
        reporter.publish_worker_failures()
        self._last_asked = time.monotonic()
        if _is_restarted():
            begun = _begun_attempt(run)
            if begun is not None:
                self._reporter.go_on(*begun)
                set_log_context(attempt=self._reporter.status().attempts)
        threading.Thread(target=self._watch_driver, daemon=True).start()

    def __repr__(self) -> str:
        return f"ReportingActor({self._run})"

    def begin_attempt(
        self, token: str, world_size: int, restored_step: int, metrics: Metrics
    ) -> int:
        """Calls `Reporter.begin_attempt`, and keeps the metrics for the case of a restart."""
        number = self._reporter.begin_attempt(token, world_size, restored_step, metrics)
        _keep_begun_attempt(self._run, token, metrics)
        set_log_context(attempt=number)
        return number

    def report(self, message: bytes) -> Ack:
        """Calls `Reporter.report`."""
        ack = self._reporter.report(message)
        self._export()
        return ack

    def beat(self, message: bytes) -> Ack:
        """Calls `Reporter.beat`."""
        return self._reporter.beat(message)

    def acknowledged(self) -> Ack:
        """Calls `Reporter.acknowledged`."""
        return self._reporter.acknowledged()

    def publish_evaluation(self, evaluation: Evaluation) -> None:
        """Calls `Reporter.publish_evaluation`."""
        self._reporter.publish_evaluation(evaluation)

    def publish_notice(self, text: str, level: int = logging.WARNING) -> None:
        """Calls `Reporter.publish_notice`."""
        self._reporter.publish_notice(text, level)

    def publish_evaluation_progress(self, step: int, done: int, total: int, seconds: float) -> None:
        """Calls `Reporter.publish_evaluation_progress`."""
        self._reporter.publish_evaluation_progress(step, done, total, seconds)

    def publish_failure(self, failure: Failure) -> AttemptFailed:
        """Calls `Reporter.publish_failure`."""
        return self._reporter.publish_failure(failure)

    def publish_checkpoint(self, checkpoint: CheckpointSaved) -> None:
        """Calls `Reporter.publish_checkpoint`."""
        self._reporter.publish_checkpoint(checkpoint)

    def ask_ranks(self, request: RankRequest | None) -> None:
        """Calls `Reporter.ask_ranks`."""
        self._reporter.ask_ranks(request)

    def answer_request(self, answer: RankAnswer) -> None:
        """Calls `Reporter.answer_request`."""
        self._reporter.answer_request(answer)

    def rank_answers(self) -> tuple[int | None, list[RankAnswer]]:
        """Calls `Reporter.rank_answers`."""
        return self._reporter.rank_answers()

    def post(self, request: str, body: bytes) -> bytes | None:
        """Calls `Letterbox.post`."""
        return self._letterbox.post(request, body)

    def posted(self) -> dict[str, bytes]:
        """Calls `Letterbox.posted`."""
        return self._letterbox.posted()

    def reply(self, request: str, body: bytes) -> None:
        """Calls `Letterbox.reply`."""
        self._letterbox.reply(request, body)

    def published(self, since: Cursor | None = None) -> tuple[list[Published], Cursor]:
        """Calls `Reporter.published`; the polls of the driver show that it is alive."""
        self._last_asked = time.monotonic()
        self._export()
        return self._reporter.published(since)

    def snapshot(self) -> Snapshot | None:
        """Calls `Reporter.snapshot`."""
        return self._reporter.snapshot()

    def ranks(self) -> list[RankState]:
        """Calls `Reporter.ranks`."""
        return self._reporter.ranks()

    def findings(self) -> list[Finding]:
        """Calls `Reporter.findings`."""
        return self._reporter.findings()

    def status(self) -> ReporterStatus:
        """Calls `Reporter.status`."""
        return self._reporter.status()

    def abandoned_s(self) -> float:
        """Returns the seconds since the driver polled last."""
        return time.monotonic() - self._last_asked

    def process_id(self) -> int:
        """Returns the process id of the actor on its node."""
        return os.getpid()

    def node_id(self) -> str:
        """Returns the id of the node that the actor is on."""
        return str(ray.get_runtime_context().get_node_id())

    def close(self, ended: RunEnded | None = None) -> ReporterStatus:
        """Closes the reporter and returns its last status; see `Reporter.close`."""
        self._reporter.close(ended)
        if self._exporter is not None:
            self._exporter.close()
        status = self._reporter.status()
        # The process is killed once its answer has arrived.
        self._log.__exit__(None, None, None)
        return status

    def _export(self) -> None:
        notice = None if self._exporter is None else self._exporter.look(self._reporter.health)
        if notice is not None:
            self._reporter.publish_notice(notice)

    def _watch_driver(self) -> None:
        # Counted in checks and not in seconds, so that an actor that was stopped for a while
        # gives its driver time to ask again.
        missed, asked = 0, self._last_asked
        while missed < _CHECKS:
            time.sleep(ABANDONED_AFTER_S / _CHECKS)
            missed = missed + 1 if asked == self._last_asked else 0
            asked = self._last_asked
        # Killed through Ray: if only the process ended, Ray would restart it.
        ray.kill(ray.get_runtime_context().current_actor)


def _log_notice(notice: Notice) -> None:
    _log.log(notice.level, "%s", notice.text, extra={"event": "notice"})


def _is_restarted() -> bool:
    with warnings.catch_warnings():
        # Ray computes the answer by another property, which it has deprecated.
        warnings.simplefilter("ignore")
        return bool(ray.get_runtime_context().was_current_actor_reconstructed)


def actor_name(run: str) -> str:
    """Returns the name of the reporter of a run, which is also the name of its namespace."""
    return f"raymon-reporter:{run}"


def _keep_begun_attempt(run: str, token: str, metrics: Metrics) -> None:
    ray_internals.keep_in_cluster(_key(run), cloudpickle.dumps((token, dict(metrics))))


def _begun_attempt(run: str) -> tuple[str, Metrics] | None:
    kept = ray_internals.kept_in_cluster(_key(run))
    begun: tuple[str, Metrics] | None = None if kept is None else cloudpickle.loads(kept)
    return begun


def forget_begun_attempt(run: str) -> None:
    """Removes the metrics of the attempt, which are kept for a restarted reporter."""
    if ray.is_initialized():
        ray_internals.forget_in_cluster(_key(run))


def _key(run: str) -> bytes:
    return f"{actor_name(run)}:attempt".encode()
