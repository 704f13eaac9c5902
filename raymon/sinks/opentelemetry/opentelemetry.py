"""The sink that sends the numbers and a trace of a run by OTLP."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING

from raymon.errors import ConfigError
from raymon.results import (
    Alert,
    AttemptBegan,
    AttemptFailed,
    CheckpointSaved,
    Evaluation,
    RunEnded,
    Snapshot,
)
from raymon.sinks.opentelemetry.collector_errors import CollectorError
from raymon.sinks.opentelemetry.destination import GRPC, Destination, Signal, find_destination
from raymon.sinks.opentelemetry.resource import attributes_of
from raymon.sinks.opentelemetry.spans import new_span_id
from raymon.sinks.opentelemetry.trace_file import OpenSession
from raymon.storage import StoragePath, absolute, storage_path

if TYPE_CHECKING:
    from raymon.sinks.opentelemetry.sending import Sending


class OpenTelemetry:
    """A sink that sends the numbers and a trace of a run by OTLP, to an OpenTelemetry collector.

    What is not given here is taken from the environment variables of OpenTelemetry, in the process
    that makes the sink: `OTEL_EXPORTER_OTLP_ENDPOINT` and its kin, `OTEL_RESOURCE_ATTRIBUTES` and
    `OTEL_SERVICE_NAME`. Tokens are taken from `OTEL_EXPORTER_OTLP_HEADERS` alone. What the program
    itself has of OpenTelemetry is neither used nor changed.

    Args:
        model_dir: Directory or URI that the run writes to, where the id of its trace is kept; None
            for that of the `Monitor` it is given to. Without one each session has a trace of its
            own, and points have no label `run`.
        endpoint: Address of the collector, such as `http://localhost:4318`.
        protocol: `http/protobuf`, which is also the default, or `grpc`.
        metrics: Whether metrics are sent.
        traces: Whether spans are sent.
        export_interval_s: Seconds between two exports, up to 10; 0 sends each number at once.
        window_spans: Spans of windows of an attempt after which each second window alone has one,
            after as many again each fourth, and so on; 0 for none.
        resource_attributes: Further attributes of the resource.
        timeout_s: Seconds that an answer of the collector may take.

    Raises:
        UserError: An argument or an environment variable is wrong, or the package
            `opentelemetry-proto`, or `grpcio` for `grpc`, is missing.
    """

    def __init__(
        self,
        model_dir: str | os.PathLike[str] | None = None,
        *,
        endpoint: str | None = None,
        protocol: str | None = None,
        metrics: bool = True,
        traces: bool = True,
        export_interval_s: float = 10.0,
        window_spans: int = 1000,
        resource_attributes: Mapping[str, str] | None = None,
        timeout_s: float = 5.0,
    ) -> None:
        environment = os.environ
        self._directory = None if model_dir is None else absolute(storage_path(model_dir))
        self._attributes = {**attributes_of(environment), **(resource_attributes or {})}
        signals: dict[Signal, bool] = {"metrics": metrics, "traces": traces}
        self._destinations: dict[Signal, Destination] = {
            signal: find_destination(signal, endpoint, protocol, timeout_s, environment)
            for signal, wanted in signals.items()
            if wanted
        }
        _check_installed(self._destinations)
        self._interval_s = export_interval_s
        self._window_spans = window_spans
        # Made here, and so the same in each process that the reporter of this session runs in.
        self._session = OpenSession(new_span_id().hex(), time.time())
        self._begun: Sending | None = None
        self._sent_at = 0.0

    def use_directory(self, directory: StoragePath) -> None:
        """Uses the directory of the run that it is a sink of, unless it has been given one.

        To be called before anything else.
        """
        self._directory = self._directory or absolute(directory)

    def write(self, snapshot: Snapshot) -> None:
        """Adds the points and the span of a snapshot."""
        self._sending().write(snapshot)
        self._send_if_due()

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Adds the points and the span of an evaluation."""
        self._sending().write_evaluation(evaluation)
        self._send_if_due()

    def write_alert(self, alert: Alert) -> None:
        """Adds the point and the span of an alert."""
        self._sending().write_alert(alert)

    def begin_attempt(self, attempt: AttemptBegan) -> None:
        """Adds the points of the begin of an attempt, and the span of the one before."""
        self._sending().begin_attempt(attempt)

    def fail_attempt(self, failed: AttemptFailed) -> None:
        """Adds the span of an attempt that has failed."""
        self._sending().fail_attempt(failed)

    def write_checkpoint(self, checkpoint: CheckpointSaved) -> None:
        """Adds the point and the span of a save."""
        self._sending().write_checkpoint(checkpoint)

    def end_run(self, ended: RunEnded) -> None:
        """Adds the spans of the last attempt and of the run."""
        self._sending().end_run(ended)

    def roll_back(self, step: int, evaluation_step: int) -> None:
        """Takes back nothing: what was sent was so; what comes again is not sent twice."""
        self._sending().roll_back()

    def flush(self) -> None:
        """Sends what was gathered.

        Raises:
            CollectorError: It is not taken, and waits on.
        """
        self._sent_at = time.monotonic()
        self._sending().send()

    def close(self) -> None:
        """Ends what is open, sends what is left, and closes the connections.

        Raises:
            CollectorError: Something was not taken.
        """
        sending = self._sending()
        sending.end()
        try:
            sending.send()
        finally:
            sending.close()

    def take_notices(self) -> list[str]:
        """Returns what people should read, since the last call."""
        return [] if self._begun is None else self._begun.take_notices()

    def _send_if_due(self) -> None:
        if time.monotonic() - self._sent_at < self._interval_s:
            return
        # A call that raised would be made again: only a flush may raise.
        with suppress(CollectorError):
            self.flush()

    def _sending(self) -> Sending:
        if self._begun is None:
            # Imported in the process of the reporter, at the first call.
            from raymon.sinks.opentelemetry.sending import Sending

            self._begun = Sending(
                self._directory,
                self._destinations,
                self._attributes,
                self._session,
                self._window_spans,
            )
            self._sent_at = time.monotonic()
        return self._begun


def _check_installed(destinations: Mapping[Signal, Destination]) -> None:
    needed = ["opentelemetry.proto"] if destinations else []
    if any(to.protocol == GRPC for to in destinations.values()):
        needed.append("grpc")
    for module in needed:
        try:
            there = find_spec(module) is not None
        except ModuleNotFoundError:
            there = False
        if not there:
            raise ConfigError(
                f"OpenTelemetry needs the Python package {module}: pip install "
                "'raymon[opentelemetry]'"
            )
