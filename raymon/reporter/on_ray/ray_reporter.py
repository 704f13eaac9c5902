"""The way to the `ReportingActor` of a run, and its start."""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future
from typing import Any

import ray

from raymon.errors import RunError
from raymon.reporter.on_ray.actor import Metrics, ReportingActor, actor_name, forget_begun_attempt
from raymon.reporter.publishing.publications import Cursor
from raymon.reporter.reporter import Reporter
from raymon.results import Evaluation, Published, ReporterStatus
from raymon.wire import Ack, Channel

TAKEN_OVER_AFTER_S = 5.0
"""Seconds without a word from the driver after which another run may take its place."""

_RETRY_S = 0.5


def reporter_of(run: str) -> Any:
    """The handle of the actor of a run, anywhere on its cluster.

    Who is to find it gets the name alone: a handle that passes through other actors has them import
    the code of its actor, and torch with it, and that of Ray's client is no handle elsewhere.

    Raises:
        ValueError: There is none.
    """
    name = actor_name(run)
    return ray.get_actor(name, namespace=name)


def start_reporter(run: str, reporter: Reporter, use_prometheus: bool = False) -> RayReporter:
    """Starts the reporter of `run` as a named actor that outlives the one who started it.

    That of a driver that is gone is ended for it.

    Args:
        run, reporter, use_prometheus: As for a `ReportingActor`.

    Raises:
        RunError: The run is going on already.
    """
    _end_abandoned(run)
    actor = (
        ray.remote(ReportingActor)
        .options(
            name=actor_name(run),
            namespace=actor_name(run),
            num_cpus=0,
            lifetime="detached",
            # Its callers try again by themselves; Ray would say so on the terminal.
            max_restarts=-1,
        )
        .remote(run, reporter, use_prometheus)
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
        # One that is starting answers late, and counts the silence from then on.
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
    """The way to a `ReportingActor`, from any process of the cluster. It is a `Channel`.

    Args:
        actor: Handle of the actor.
        run: The name of the run, for the one who ends it.
    """

    def __init__(self, actor: Any, run: str = "") -> None:
        self._actor = actor
        self._run = run

    @property
    def actor(self) -> Any:
        """The handle, which travels to workers."""
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
        """As `Reporter.begin_attempt`; waits for at most `timeout_s` seconds.

        Raises:
            ray.exceptions.RayError: The actor is dead or did not answer in time.
        """
        arguments = (token, world_size, restored_step, dict(metrics))
        return int(_ask(self._actor.begin_attempt, arguments, timeout_s))

    def channel(self, attempt: int, world_size: int, metrics: Metrics) -> Channel:
        """The way for the windows of a rank: this."""
        return self

    def report(self, message: bytes) -> Future[Ack]:
        """Sends a serialised `WindowReport`; returns at once."""
        future: Future[Ack] = self._actor.report.remote(message).future()
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
        """Sends a line that is shown as a warning; returns at once."""
        future: Future[None] = self._actor.publish_notice.remote(text, level).future()
        return future

    def publish_evaluation_progress(
        self, step: int, done: int, total: int, seconds: float
    ) -> Future[None]:
        """Sends how far an evaluation is; returns at once."""
        call = self._actor.publish_evaluation_progress.remote(step, done, total, seconds)
        future: Future[None] = call.future()
        return future

    def published(
        self, since: Cursor | None = None, timeout_s: float = 5.0
    ) -> tuple[list[Published], Cursor]:
        """As `Reporter.published`; waits for at most `timeout_s` seconds.

        Raises:
            ray.exceptions.RayError: The actor is dead or did not answer in time.
        """
        news, cursor = ray.get(self._actor.published.remote(since), timeout=timeout_s)
        return news, cursor

    def process_id(self) -> int:
        """Process id of the actor on its node."""
        return int(_ask(self._actor.process_id, (), 60.0))

    def close(self, timeout_s: float = 30.0) -> ReporterStatus:
        """Closes the reporter; gives its last status.

        Raises:
            ray.exceptions.RayError: The actor is dead or did not answer in time.
        """
        status: ReporterStatus = _ask(self._actor.close, (), timeout_s)
        return status

    def stop(self) -> None:
        """Ends the actor for good."""
        ray.kill(self._actor)
        forget_begun_attempt(self._run)


def _ask(method: Any, arguments: tuple[Any, ...], timeout_s: float) -> Any:
    """The answer to a call, which is made again while the actor starts anew."""
    deadline = time.monotonic() + timeout_s
    while True:
        left = max(0.0, deadline - time.monotonic())
        try:
            return ray.get(method.remote(*arguments), timeout=left)
        except ray.exceptions.RayActorError:
            if left <= _RETRY_S:
                raise
        time.sleep(_RETRY_S)
