"""The start of a `ReportingActor`, and the channel to it."""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future
from typing import Any

import ray

from raymon.errors import RunError
from raymon.log import LogFiles
from raymon.reporter.on_ray.actor import Metrics, ReportingActor, actor_name, forget_begun_attempt
from raymon.reporter.publishing.publications import Cursor
from raymon.reporter.reporter import Reporter
from raymon.results import (
    AttemptFailed,
    CheckpointSaved,
    Evaluation,
    Failure,
    Finding,
    Published,
    RankState,
    ReporterStatus,
    RunEnded,
)
from raymon.retries import retrying_for
from raymon.wire import Ack, Channel, RankAnswer, RankRequest

TAKEN_OVER_AFTER_S = 5.0
"""Seconds without a poll by the driver after which another run may take the actor's place."""

_RETRY_S = 0.5

_ANSWER_S = 5.0
"""Seconds that the actor has for an answer that it knows at once."""


def reporter_of(run: str) -> Any:
    """Returns the handle of the actor of a run, from anywhere on its cluster.

    Processes that need the handle are given the name alone: a handle that passes through other
    actors makes them import the code of its actor, and torch with it, and a handle of Ray Client is
    not valid in other processes.

    Raises:
        ValueError: There is no such actor.
    """
    name = actor_name(run)
    return ray.get_actor(name, namespace=name)


def named_runs() -> list[str]:
    """Returns the names of the runs that have a reporter on the cluster, in order."""
    actors = ray.util.list_named_actors(all_namespaces=True)
    prefix = actor_name("")
    return sorted(
        actor["name"].removeprefix(prefix) for actor in actors if actor["name"].startswith(prefix)
    )


def start_reporter(
    run: str,
    reporter: Reporter,
    use_prometheus: bool = False,
    log_files: LogFiles | None = None,
) -> RayReporter:
    """Starts the reporter of a run as a named actor that outlives the process that started it.

    The actor of an earlier driver that is gone is ended first.

    Args:
        run: Name of the run, unique on the cluster, such as its `model_dir`.
        reporter: The reporter, before its first call.
        use_prometheus: Whether the numbers are exported to the metrics endpoint of the node as
            well.
        log_files: The log files of the run; None for none.

    Raises:
        RunError: Another process is writing to the run.
    """
    _end_abandoned(run)
    actor = (
        ray.remote(ReportingActor)
        .options(
            name=actor_name(run),
            namespace=actor_name(run),
            num_cpus=0,
            lifetime="detached",
            # Not in the placement group of a task or an actor that starts the run: it ends with it.
            scheduling_strategy="DEFAULT",
            # The callers retry, not Ray, which would log every retry on the terminal.
            max_restarts=-1,
        )
        .remote(run, reporter, use_prometheus, log_files)
    )
    return RayReporter(actor, run)


def _end_abandoned(run: str) -> None:
    deadline: float | None = None
    while True:
        try:
            actor = reporter_of(run)
        except ValueError:
            return
        if _abandoned(actor):
            ray.kill(actor)
        # An actor that is starting takes a while to answer, and counts the silence of its driver
        # only from then on.
        elif deadline is None:
            deadline = time.monotonic() + TAKEN_OVER_AFTER_S + 2
        elif time.monotonic() > deadline:
            raise RunError(f"{run}: another run is writing to it; stop that first")
        time.sleep(_RETRY_S)


def _abandoned(actor: Any) -> bool:
    try:
        abandoned_s = float(ray.get(actor.abandoned_s.remote(), timeout=TAKEN_OVER_AFTER_S))
        if abandoned_s >= TAKEN_OVER_AFTER_S:
            ray.get(actor.close.remote(), timeout=TAKEN_OVER_AFTER_S)
    except ray.exceptions.RayError:
        return True
    return abandoned_s >= TAKEN_OVER_AFTER_S


class RayReporter:
    """A `Channel` to a `ReportingActor`, from any process of the cluster.

    Args:
        actor: Handle of the actor.
        run: Name of the run; needed only by the process that calls `stop`.

    Attributes:
        linger_s: Seconds for which those who ask it through `posted` look for the last answers.
    """

    linger_s = 1.5

    def __init__(self, actor: Any, run: str = "") -> None:
        self._actor = actor
        self._run = run

    @property
    def actor(self) -> Any:
        """The handle of the actor, which can be sent to workers."""
        return self._actor

    @property
    def run(self) -> str:
        """The name of the run, by which `reporter_of` finds the actor."""
        return self._run

    def begin_attempt(
        self,
        token: str,
        world_size: int,
        restored_step: int,
        metrics: Metrics,
        timeout_s: float = 60.0,
    ) -> int:
        """Calls `Reporter.begin_attempt`, and waits for at most `timeout_s` seconds.

        Raises:
            ray.exceptions.RayError: The actor is dead or did not answer in time.
        """
        arguments = (token, world_size, restored_step, dict(metrics))
        return int(_ask(self._actor.begin_attempt, arguments, timeout_s))

    def channel(self, attempt: int, world_size: int, metrics: Metrics) -> Channel:
        """Returns itself, which carries windows too."""
        return self

    def report(self, message: bytes) -> Future[Ack]:
        """Sends a serialised `WindowReport`; returns at once."""
        future: Future[Ack] = self._actor.report.remote(message).future()
        return future

    def beat(self, message: bytes) -> Future[Ack]:
        """Sends serialised `Heartbeats`; returns at once."""
        future: Future[Ack] = self._actor.beat.remote(message).future()
        return future

    def acknowledged(self) -> Future[Ack]:
        """Asks what is durable by now; returns at once."""
        future: Future[Ack] = self._actor.acknowledged.remote().future()
        return future

    def publish_evaluation(self, evaluation: Evaluation) -> Future[None]:
        """Sends the scores of an evaluation; returns at once."""
        future: Future[None] = self._actor.publish_evaluation.remote(evaluation).future()
        return future

    def publish_notice(self, text: str, level: int = logging.WARNING) -> Future[None]:
        """Sends a notice; returns at once."""
        future: Future[None] = self._actor.publish_notice.remote(text, level).future()
        return future

    def publish_evaluation_progress(
        self, step: int, done: int, total: int, seconds: float
    ) -> Future[None]:
        """Sends the progress of an evaluation; returns at once."""
        call = self._actor.publish_evaluation_progress.remote(step, done, total, seconds)
        future: Future[None] = call.future()
        return future

    def publish_checkpoint(self, checkpoint: CheckpointSaved) -> Future[None]:
        """Sends that a checkpoint is complete; returns at once."""
        future: Future[None] = self._actor.publish_checkpoint.remote(checkpoint).future()
        return future

    def answer_request(self, answer: RankAnswer) -> Future[None]:
        """Sends what a rank did that it was asked for; returns at once."""
        future: Future[None] = self._actor.answer_request.remote(answer).future()
        return future

    def ask_ranks(self, request: RankRequest | None) -> None:
        """Calls `Reporter.ask_ranks`.

        Raises:
            ray.exceptions.RayError: The actor is dead or did not answer in time.
        """
        ray.get(self._actor.ask_ranks.remote(request), timeout=_ANSWER_S)

    def rank_answers(self) -> tuple[int | None, list[RankAnswer]]:
        """Calls `Reporter.rank_answers`.

        Raises:
            ray.exceptions.RayError: The actor is dead or did not answer in time.
        """
        number, answers = ray.get(self._actor.rank_answers.remote(), timeout=_ANSWER_S)
        return number, answers

    def ranks(self) -> list[RankState]:
        """Calls `Reporter.ranks`.

        Raises:
            ray.exceptions.RayError: The actor is dead or did not answer in time.
        """
        states: list[RankState] = ray.get(self._actor.ranks.remote(), timeout=_ANSWER_S)
        return states

    def findings(self) -> list[Finding]:
        """Calls `Reporter.findings`.

        Raises:
            ray.exceptions.RayError: The actor is dead or did not answer in time.
        """
        findings: list[Finding] = ray.get(self._actor.findings.remote(), timeout=_ANSWER_S)
        return findings

    def status(self) -> ReporterStatus:
        """Calls `Reporter.status`.

        Raises:
            ray.exceptions.RayError: The actor is dead or did not answer in time.
        """
        status: ReporterStatus = ray.get(self._actor.status.remote(), timeout=_ANSWER_S)
        return status

    def posted(self) -> dict[str, bytes]:
        """Calls `Letterbox.posted`.

        Raises:
            ray.exceptions.RayError: The actor is dead or did not answer in time.
        """
        posted: dict[str, bytes] = ray.get(self._actor.posted.remote(), timeout=_ANSWER_S)
        return posted

    def reply(self, request: str, body: bytes) -> None:
        """Calls `Letterbox.reply`.

        Raises:
            ray.exceptions.RayError: The actor is dead or did not answer in time.
        """
        ray.get(self._actor.reply.remote(request, body), timeout=_ANSWER_S)

    def published(
        self, since: Cursor | None = None, timeout_s: float = 5.0
    ) -> tuple[list[Published], Cursor]:
        """Calls `Reporter.published`, and waits for at most `timeout_s` seconds.

        Raises:
            ray.exceptions.RayError: The actor is dead or did not answer in time.
        """
        news, cursor = ray.get(self._actor.published.remote(since), timeout=timeout_s)
        return news, cursor

    def publish_failure(self, failure: Failure, timeout_s: float = 15.0) -> AttemptFailed:
        """Calls `Reporter.publish_failure`, and waits for at most `timeout_s` seconds.

        Raises:
            ray.exceptions.RayError: The actor is dead or did not answer in time.
        """
        failed: AttemptFailed = _ask(self._actor.publish_failure, (failure,), timeout_s)
        return failed

    def process_id(self) -> int:
        """Returns the process id of the actor on its node."""
        return int(_ask(self._actor.process_id, (), 60.0))

    def close(self, ended: RunEnded | None = None, timeout_s: float = 60.0) -> ReporterStatus:
        """Closes the reporter and returns its last status; see `Reporter.close`.

        Raises:
            ray.exceptions.RayError: The actor is dead or did not answer in time.
        """
        status: ReporterStatus = _ask(self._actor.close, (ended,), timeout_s)
        return status

    def stop(self) -> None:
        """Ends the actor for good."""
        ray.kill(self._actor)
        forget_begun_attempt(self._run)


def _ask(method: Any, arguments: tuple[Any, ...], timeout_s: float) -> Any:
    """Returns the answer to a call, which is repeated while the actor is restarted."""
    deadline = time.monotonic() + timeout_s

    def answer() -> Any:
        left = max(0.0, deadline - time.monotonic())
        return ray.get(method.remote(*arguments), timeout=left)

    def may_pass(error: BaseException) -> bool:
        return isinstance(error, ray.exceptions.RayActorError)

    return retrying_for(timeout_s, _RETRY_S, may_pass)(answer)
