"""The reporter as a Ray actor, and the way to it."""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

import ray
from ray import cloudpickle
from ray.experimental import internal_kv

from raymon.errors import RunError
from raymon.metrics import TrainMetricWrapper
from raymon.monitor import Ack, Channel
from raymon.reporter.publications import Cursor
from raymon.reporter.reporter import Reporter
from raymon.sinks import Evaluation, Published, RankState, Snapshot

Metrics = Mapping[str, TrainMetricWrapper]

ABANDONED_AFTER_S = 120.0
"""Seconds without a word from the driver after which the actor takes it for gone and ends."""

_CHECKS = 10
_RETRY_S = 0.5

TAKEN_OVER_AFTER_S = 5.0
"""Seconds without a word from the driver after which another run may take its place."""


class ReportingActor:
    """Runs a `Reporter`, and ends when the run is over or its driver is gone.

    Ray starts it anew, on any node, when its process or its node dies. It then goes on from the
    storage of the run; the metrics of the attempt are kept by Ray meanwhile.

    Args:
        run: The name of the run, for people who look at Ray's list of actors.
        reporter: The reporter, before its first call.
    """

    def __init__(self, run: str, reporter: Reporter) -> None:
        self._run = run
        self._reporter = reporter
        self._last_asked = time.monotonic()
        if _is_started_anew():
            begun = _begun_attempt(run)
            if begun is not None:
                self._reporter.go_on(*begun)
        threading.Thread(target=self._watch_driver, daemon=True).start()

    def __repr__(self) -> str:
        return f"ReportingActor({self._run})"

    def begin_attempt(
        self, token: str, world_size: int, restored_step: int, metrics: Metrics
    ) -> int:
        """As `Reporter.begin_attempt`."""
        number = self._reporter.begin_attempt(token, world_size, restored_step, metrics)
        _keep_begun_attempt(self._run, token, metrics)
        return number

    def report(self, message: bytes) -> Ack:
        """As `Reporter.report`."""
        return self._reporter.report(message)

    def acknowledged(self) -> Ack:
        """As `Reporter.acknowledged`."""
        return self._reporter.acknowledged()

    def publish_evaluation(self, evaluation: Evaluation) -> None:
        """As `Reporter.publish_evaluation`."""
        self._reporter.publish_evaluation(evaluation)

    def publish_evaluation_progress(self, step: int, done: int, total: int, seconds: float) -> None:
        """As `Reporter.publish_evaluation_progress`."""
        self._reporter.publish_evaluation_progress(step, done, total, seconds)

    def published(self, since: Cursor | None = None) -> tuple[list[Published], Cursor]:
        """As `Reporter.published`; the driver asks all the time, which shows that it lives."""
        self._last_asked = time.monotonic()
        return self._reporter.published(since)

    def snapshot(self) -> Snapshot | None:
        """As `Reporter.snapshot`."""
        return self._reporter.snapshot()

    def ranks(self) -> list[RankState]:
        """As `Reporter.ranks`."""
        return self._reporter.ranks()

    def status(self) -> dict[str, int | float | None]:
        """As `Reporter.status`."""
        return self._reporter.status()

    def abandoned_s(self) -> float:
        """Seconds since the driver asked for news."""
        return time.monotonic() - self._last_asked

    def process_id(self) -> int:
        """Process id of the actor on its node."""
        return os.getpid()

    def node_id(self) -> str:
        """The node that the actor is on."""
        return str(ray.get_runtime_context().get_node_id())

    def close(self) -> dict[str, int | float | None]:
        """As `Reporter.close`; gives its status."""
        self._reporter.close()
        return self._reporter.status()

    def _watch_driver(self) -> None:
        # Counted in checks and not in seconds, so that an actor that was stopped for a while
        # gives its driver time to ask again.
        missed, asked = 0, self._last_asked
        while missed < _CHECKS:
            time.sleep(ABANDONED_AFTER_S / _CHECKS)
            missed = missed + 1 if asked == self._last_asked else 0
            asked = self._last_asked
        # Not the end of the process, which Ray would start anew.
        ray.kill(ray.get_runtime_context().current_actor)


def _is_started_anew() -> bool:
    with warnings.catch_warnings():
        # Ray asks for its answer by a property of its own that it deprecates.
        warnings.simplefilter("ignore")
        return bool(ray.get_runtime_context().was_current_actor_reconstructed)


def actor_name(run: str) -> str:
    """The name of the reporter of a run, and of the namespace that it is in."""
    return f"raymon-reporter:{run}"


def start_reporter(run: str, reporter: Reporter) -> RayReporter:
    """Starts the reporter of `run` as a named actor that outlives the one who started it.

    That of a driver that is gone is ended for it.

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
        .remote(run, reporter)
    )
    return RayReporter(actor, run)


def _end_abandoned(run: str) -> None:
    name = actor_name(run)
    deadline: float | None = None
    while True:
        try:
            actor = ray.get_actor(name, namespace=name)
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

    def close(self, timeout_s: float = 30.0) -> dict[str, int | float | None]:
        """Closes the reporter; gives its last status.

        Raises:
            ray.exceptions.RayError: The actor is dead or did not answer in time.
        """
        return dict(_ask(self._actor.close, (), timeout_s))

    def stop(self) -> None:
        """Ends the actor for good."""
        ray.kill(self._actor)
        _forget_begun_attempt(self._run)


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


def _keep_begun_attempt(run: str, token: str, metrics: Metrics) -> None:
    internal_kv._internal_kv_put(_key(run), cloudpickle.dumps((token, dict(metrics))))


def _begun_attempt(run: str) -> tuple[str, Metrics] | None:
    kept = internal_kv._internal_kv_get(_key(run))
    begun: tuple[str, Metrics] | None = None if kept is None else cloudpickle.loads(kept)
    return begun


def _forget_begun_attempt(run: str) -> None:
    if ray.is_initialized():
        internal_kv._internal_kv_del(_key(run))


def _key(run: str) -> bytes:
    return f"{actor_name(run)}:attempt".encode()
