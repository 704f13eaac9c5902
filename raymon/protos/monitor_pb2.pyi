from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class MonitorConfig(_message.Message):
    __slots__ = ("late_after_s", "progress_interval_s", "log_level", "log_format", "node_reporters_above", "use_prometheus", "table_health")
    LATE_AFTER_S_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_INTERVAL_S_FIELD_NUMBER: _ClassVar[int]
    LOG_LEVEL_FIELD_NUMBER: _ClassVar[int]
    LOG_FORMAT_FIELD_NUMBER: _ClassVar[int]
    NODE_REPORTERS_ABOVE_FIELD_NUMBER: _ClassVar[int]
    USE_PROMETHEUS_FIELD_NUMBER: _ClassVar[int]
    TABLE_HEALTH_FIELD_NUMBER: _ClassVar[int]
    late_after_s: float
    progress_interval_s: float
    log_level: str
    log_format: str
    node_reporters_above: int
    use_prometheus: bool
    table_health: bool
    def __init__(self, late_after_s: _Optional[float] = ..., progress_interval_s: _Optional[float] = ..., log_level: _Optional[str] = ..., log_format: _Optional[str] = ..., node_reporters_above: _Optional[int] = ..., use_prometheus: bool = ..., table_health: bool = ...) -> None: ...
