"""The messages of OTLP that a run is sent as."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    InstrumentationScope,
    KeyValue,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from raymon.sinks.opentelemetry.metric_units import is_sum, unit_of
from raymon.sinks.opentelemetry.spans import FinishedSpan
from raymon.sinks.prometheus.gauges import GAUGES
from raymon.sinks.prometheus.series import Series
from raymon.version import __version__

Values = Mapping[str, str | bool | int | float]


class Point(NamedTuple):
    """A value of a metric.

    Attributes:
        series: Name of the metric, and its labels.
        value: The value, a finite number.
        start_ns: Of a sum: nanoseconds since 1970 from which on it counts.
        time_ns: Nanoseconds since 1970 to which the value belongs.
    """

    series: Series
    value: float
    start_ns: int
    time_ns: int


def encode_points(points: Sequence[Point], resource: Values, labels: Values) -> bytes:
    """Returns the request that sends points.

    Args:
        points: The points.
        resource: Attributes of who sends them.
        labels: Attributes that all points have.
    """
    metrics: dict[str, Metric] = {}
    common = _key_values(labels)
    for point in points:
        name = point.series[0]
        if name not in metrics:
            metrics[name] = Metric(
                name=name, description=GAUGES[name].description, unit=unit_of(name)
            )
        number = NumberDataPoint(
            attributes=[*common, *_key_values(dict(point.series[1]))], time_unix_nano=point.time_ns
        )
        if isinstance(point.value, int):
            number.as_int = point.value
        else:
            number.as_double = point.value
        if is_sum(name):
            number.start_time_unix_nano = point.start_ns
            total = metrics[name].sum
            # A roll-back takes samples back, which no monotonic sum may.
            total.aggregation_temporality = (
                AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
            )
            total.data_points.append(number)
        else:
            metrics[name].gauge.data_points.append(number)
    scope = ScopeMetrics(scope=_scope(), metrics=metrics.values())
    message = ResourceMetrics(resource=_resource(resource), scope_metrics=[scope])
    data: bytes = ExportMetricsServiceRequest(resource_metrics=[message]).SerializeToString()
    return data


def encode_spans(spans: Sequence[FinishedSpan], resource: Values) -> bytes:
    """Returns the request that sends spans.

    Args:
        spans: The spans.
        resource: Attributes of who sends them.
    """
    scope = ScopeSpans(scope=_scope(), spans=map(_span, spans))
    message = ResourceSpans(resource=_resource(resource), scope_spans=[scope])
    data: bytes = ExportTraceServiceRequest(resource_spans=[message]).SerializeToString()
    return data


def rejected_points(answer: bytes) -> tuple[int, str]:
    """Returns how many points an answer says were rejected, and why."""
    partial = ExportMetricsServiceResponse.FromString(answer).partial_success
    return partial.rejected_data_points, partial.error_message


def rejected_spans(answer: bytes) -> tuple[int, str]:
    """Returns how many spans an answer says were rejected, and why."""
    partial = ExportTraceServiceResponse.FromString(answer).partial_success
    return partial.rejected_spans, partial.error_message


def _span(span: FinishedSpan) -> Span:
    return Span(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_id,
        name=span.name,
        kind=Span.SpanKind.SPAN_KIND_INTERNAL,
        start_time_unix_nano=span.start_ns,
        end_time_unix_nano=span.end_ns,
        attributes=_key_values(span.attributes),
        links=[Span.Link(trace_id=span.trace_id, span_id=linked) for linked in span.links],
        status=_status(span.error),
    )


def _status(error: str | None) -> Status:
    if error is None:
        return Status()
    return Status(code=Status.StatusCode.STATUS_CODE_ERROR, message=error)


def _scope() -> InstrumentationScope:
    return InstrumentationScope(name="raymon", version=__version__)


def _resource(attributes: Values) -> Resource:
    return Resource(attributes=_key_values(attributes))


def _key_values(values: Values) -> list[KeyValue]:
    return [
        KeyValue(key=name, value=_value(value))
        for name, value in values.items()
        if not isinstance(value, float) or math.isfinite(value)
    ]


def _value(value: str | bool | int | float) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    return AnyValue(string_value=value)
