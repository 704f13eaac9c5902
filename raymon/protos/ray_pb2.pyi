from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class RayConfig(_message.Message):
    __slots__ = ("num_workers", "use_gpu", "resources_per_worker", "placement_strategy", "max_failures", "wait_for_nodes_s", "min_workers", "elastic_resize_monitor_interval_s")
    class ResourcesPerWorkerEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    NUM_WORKERS_FIELD_NUMBER: _ClassVar[int]
    USE_GPU_FIELD_NUMBER: _ClassVar[int]
    RESOURCES_PER_WORKER_FIELD_NUMBER: _ClassVar[int]
    PLACEMENT_STRATEGY_FIELD_NUMBER: _ClassVar[int]
    MAX_FAILURES_FIELD_NUMBER: _ClassVar[int]
    WAIT_FOR_NODES_S_FIELD_NUMBER: _ClassVar[int]
    MIN_WORKERS_FIELD_NUMBER: _ClassVar[int]
    ELASTIC_RESIZE_MONITOR_INTERVAL_S_FIELD_NUMBER: _ClassVar[int]
    num_workers: int
    use_gpu: bool
    resources_per_worker: _containers.ScalarMap[str, float]
    placement_strategy: str
    max_failures: int
    wait_for_nodes_s: float
    min_workers: int
    elastic_resize_monitor_interval_s: float
    def __init__(self, num_workers: _Optional[int] = ..., use_gpu: bool = ..., resources_per_worker: _Optional[_Mapping[str, float]] = ..., placement_strategy: _Optional[str] = ..., max_failures: _Optional[int] = ..., wait_for_nodes_s: _Optional[float] = ..., min_workers: _Optional[int] = ..., elastic_resize_monitor_interval_s: _Optional[float] = ...) -> None: ...
