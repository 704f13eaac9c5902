from raymon.protos import opentelemetry_pb2 as _opentelemetry_pb2
from raymon.protos import tracker_pb2 as _tracker_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MonitorConfig(_message.Message):
    __slots__ = ("late_after_s", "progress_interval_s", "log_level", "log_format", "node_reporters_above", "use_prometheus", "table_health", "hang_after_s", "on_hang", "hang_fail_after_s", "alert_command", "alert_webhook", "alert_timeout_s", "log_files", "logging_config_path", "windows_max_mb", "events_max_mb", "trackers", "opentelemetry")
    class OnHang(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        WARN: _ClassVar[MonitorConfig.OnHang]
        FAIL: _ClassVar[MonitorConfig.OnHang]
    WARN: MonitorConfig.OnHang
    FAIL: MonitorConfig.OnHang
    LATE_AFTER_S_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_INTERVAL_S_FIELD_NUMBER: _ClassVar[int]
    LOG_LEVEL_FIELD_NUMBER: _ClassVar[int]
    LOG_FORMAT_FIELD_NUMBER: _ClassVar[int]
    NODE_REPORTERS_ABOVE_FIELD_NUMBER: _ClassVar[int]
    USE_PROMETHEUS_FIELD_NUMBER: _ClassVar[int]
    TABLE_HEALTH_FIELD_NUMBER: _ClassVar[int]
    HANG_AFTER_S_FIELD_NUMBER: _ClassVar[int]
    ON_HANG_FIELD_NUMBER: _ClassVar[int]
    HANG_FAIL_AFTER_S_FIELD_NUMBER: _ClassVar[int]
    ALERT_COMMAND_FIELD_NUMBER: _ClassVar[int]
    ALERT_WEBHOOK_FIELD_NUMBER: _ClassVar[int]
    ALERT_TIMEOUT_S_FIELD_NUMBER: _ClassVar[int]
    LOG_FILES_FIELD_NUMBER: _ClassVar[int]
    LOGGING_CONFIG_PATH_FIELD_NUMBER: _ClassVar[int]
    WINDOWS_MAX_MB_FIELD_NUMBER: _ClassVar[int]
    EVENTS_MAX_MB_FIELD_NUMBER: _ClassVar[int]
    TRACKERS_FIELD_NUMBER: _ClassVar[int]
    OPENTELEMETRY_FIELD_NUMBER: _ClassVar[int]
    late_after_s: float
    progress_interval_s: float
    log_level: str
    log_format: str
    node_reporters_above: int
    use_prometheus: bool
    table_health: bool
    hang_after_s: float
    on_hang: MonitorConfig.OnHang
    hang_fail_after_s: float
    alert_command: _containers.RepeatedScalarFieldContainer[str]
    alert_webhook: str
    alert_timeout_s: float
    log_files: LogFilesConfig
    logging_config_path: str
    windows_max_mb: int
    events_max_mb: int
    trackers: _containers.RepeatedCompositeFieldContainer[_tracker_pb2.Tracker]
    opentelemetry: _opentelemetry_pb2.OpenTelemetryConfig
    def __init__(self, late_after_s: _Optional[float] = ..., progress_interval_s: _Optional[float] = ..., log_level: _Optional[str] = ..., log_format: _Optional[str] = ..., node_reporters_above: _Optional[int] = ..., use_prometheus: bool = ..., table_health: bool = ..., hang_after_s: _Optional[float] = ..., on_hang: _Optional[_Union[MonitorConfig.OnHang, str]] = ..., hang_fail_after_s: _Optional[float] = ..., alert_command: _Optional[_Iterable[str]] = ..., alert_webhook: _Optional[str] = ..., alert_timeout_s: _Optional[float] = ..., log_files: _Optional[_Union[LogFilesConfig, _Mapping]] = ..., logging_config_path: _Optional[str] = ..., windows_max_mb: _Optional[int] = ..., events_max_mb: _Optional[int] = ..., trackers: _Optional[_Iterable[_Union[_tracker_pb2.Tracker, _Mapping]]] = ..., opentelemetry: _Optional[_Union[_opentelemetry_pb2.OpenTelemetryConfig, _Mapping]] = ...) -> None: ...

class LogFilesConfig(_message.Message):
    __slots__ = ("enabled", "directory", "format", "max_mb", "max_hours", "keep")
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    DIRECTORY_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    MAX_MB_FIELD_NUMBER: _ClassVar[int]
    MAX_HOURS_FIELD_NUMBER: _ClassVar[int]
    KEEP_FIELD_NUMBER: _ClassVar[int]
    enabled: bool
    directory: str
    format: str
    max_mb: int
    max_hours: float
    keep: int
    def __init__(self, enabled: bool = ..., directory: _Optional[str] = ..., format: _Optional[str] = ..., max_mb: _Optional[int] = ..., max_hours: _Optional[float] = ..., keep: _Optional[int] = ...) -> None: ...
