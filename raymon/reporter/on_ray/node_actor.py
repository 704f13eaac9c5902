"""The node reporters as Ray actors, and the channel to them."""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from raymon.log import log_to_files
from raymon.protos.monitor_pb2 import MonitorConfig
from raymon.reporter.node_reporter import NodeChannel, NodeReporter
from raymon.reporter.on_ray.actor import Metrics
from raymon.reporter.on_ray.ray_reporter import RayReporter
from raymon.reporter.windows.collation import Attempt
from raymon.wire import Ack, Channel, Layout

_log = logging.getLogger("raymon")

_START_S = 60.0


class NodeReportingActor:
    """A Ray actor that runs a `NodeReporter`; it ends with the worker that started it.

    Args:
        node: Id of the node, shown in Ray's list of actors.
        attempt: Attempt whose windows are merged.
        ranks: Number of ranks on the node.
        root: Handle of the `ReportingActor` of the run.
        late_after_s: Seconds after which a window is passed on without the ranks that it lacks.
    """

    def __init__(
        self, node: str, attempt: Attempt, ranks: int, root: Any, late_after_s: float
    ) -> None:
        self._node = node
        self._reporter = NodeReporter(attempt, ranks, RayReporter(root), late_after_s)

    def __repr__(self) -> str:
        return f"NodeReportingActor({self._node})"

    def report(self, message: bytes) -> Ack:
        """Calls `NodeReporter.report`."""
        return self._reporter.report(message)

    def beat(self, message: bytes) -> Ack:
        """Calls `NodeReporter.beat`."""
        return self._reporter.beat(message)

    def acknowledged(self) -> Ack:
        """Calls `NodeReporter.acknowledged`."""
        return self._reporter.acknowledged()


class TreeReporter(RayReporter):
    """The channel of a Ray Train worker: with many workers, through the reporter of the node.

    Args:
        root: Handle of the `ReportingActor` of the run.
        config: Config with `node_reporters_above`, the number of workers above which nodes have
            reporters.
    """

    def __init__(self, root: Any, config: MonitorConfig) -> None:
        super().__init__(root)
        self._config = config

    def publish_notice(self, text: str, level: int = logging.WARNING) -> Future[None]:
        """Sends a notice, and writes it to the log file of the worker."""
        log_to_files(level, text, event="notice")
        return super().publish_notice(text, level)

    def channel(self, attempt: int, world_size: int, metrics: Metrics) -> Channel:
        """Returns the channel for the windows of this worker in an attempt.

        Waits until the reporter of the node has started; without one, the channel goes to the
        reporter of the run.
        """
        if world_size <= self._config.node_reporters_above:
            return self
        try:
            layout = Layout.of_metrics(metrics)
            return NodeChannel(
                _Node(self._start(Attempt(attempt, "", world_size, 0, layout))), self
            )
        except Exception as error:  # a run goes on without a node reporter
            _log.warning("no reporter on this node: %s: %s", type(error).__name__, error)
            return self

    def _start(self, attempt: Attempt) -> Any:
        # Reporters import this module too, without Ray Train, whose import takes half a second.
        from ray.train import get_context

        context = get_context()
        node = ray.get_runtime_context().get_node_id()
        name = f"raymon-node:{self.actor._actor_id.hex()}:{attempt.number}:{node}"
        if context.get_local_rank() == 0:
            # In the namespace of this job; the actor ends with the worker.
            actor = (
                ray.remote(NodeReportingActor)
                .options(
                    name=name,
                    num_cpus=0,
                    scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
                )
                .remote(
                    node[:8],
                    attempt,
                    context.get_local_world_size(),
                    self.actor,
                    self._config.late_after_s,
                )
            )
            started: Any = actor
            ray.get(started.acknowledged.remote(), timeout=_START_S)
            return started
        deadline = time.monotonic() + _START_S
        while True:
            try:
                return ray.get_actor(name)
            except ValueError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)


class _Node:
    """A channel to a `NodeReportingActor`; calls return at once."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor

    def report(self, message: bytes) -> Future[Ack]:
        future: Future[Ack] = self._actor.report.remote(message).future()
        return future

    def beat(self, message: bytes) -> Future[Ack]:
        future: Future[Ack] = self._actor.beat.remote(message).future()
        return future

    def acknowledged(self) -> Future[Ack]:
        future: Future[Ack] = self._actor.acknowledged.remote().future()
        return future
