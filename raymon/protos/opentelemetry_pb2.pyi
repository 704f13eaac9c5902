from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class OpenTelemetryConfig(_message.Message):
    __slots__ = ("endpoint", "protocol", "metrics", "traces", "export_interval_s", "window_spans", "resource_attributes", "timeout_s")
    class ResourceAttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    TRACES_FIELD_NUMBER: _ClassVar[int]
    EXPORT_INTERVAL_S_FIELD_NUMBER: _ClassVar[int]
    WINDOW_SPANS_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_S_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    protocol: str
    metrics: bool
    traces: bool
    export_interval_s: float
    window_spans: int
    resource_attributes: _containers.ScalarMap[str, str]
    timeout_s: float
    def __init__(self, endpoint: _Optional[str] = ..., protocol: _Optional[str] = ..., metrics: bool = ..., traces: bool = ..., export_interval_s: _Optional[float] = ..., window_spans: _Optional[int] = ..., resource_attributes: _Optional[_Mapping[str, str]] = ..., timeout_s: _Optional[float] = ...) -> None: ...
