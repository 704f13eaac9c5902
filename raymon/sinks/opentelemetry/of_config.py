"""The sink that a config asks for."""

from __future__ import annotations

from raymon.protos.monitor_pb2 import MonitorConfig
from raymon.sinks.opentelemetry.opentelemetry import OpenTelemetry
from raymon.sinks.sink import Sink


def opentelemetry_of(config: MonitorConfig, model_dir: str) -> list[Sink]:
    """Returns the sink that sends by OTLP, if a config has the block; else none.

    Args:
        config: Config that may have it.
        model_dir: Directory or URI that the run writes to.

    Raises:
        ConfigError: The environment is wrong, or a package is missing.
    """
    if not config.HasField("opentelemetry"):
        return []
    given = config.opentelemetry
    sink = OpenTelemetry(
        model_dir,
        endpoint=given.endpoint or None,
        protocol=given.protocol or None,
        metrics=given.metrics,
        traces=given.traces,
        export_interval_s=given.export_interval_s,
        window_spans=given.window_spans,
        resource_attributes=dict(given.resource_attributes),
        timeout_s=given.timeout_s,
    )
    return [sink]
