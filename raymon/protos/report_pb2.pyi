from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FixedPoint(_message.Message):
    __slots__ = ("units",)
    UNITS_FIELD_NUMBER: _ClassVar[int]
    units: bytes
    def __init__(self, units: _Optional[bytes] = ...) -> None: ...

class LossSum(_message.Message):
    __slots__ = ("name", "sum", "weight", "non_finite", "first_step", "first_rank")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SUM_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    NON_FINITE_FIELD_NUMBER: _ClassVar[int]
    FIRST_STEP_FIELD_NUMBER: _ClassVar[int]
    FIRST_RANK_FIELD_NUMBER: _ClassVar[int]
    name: str
    sum: FixedPoint
    weight: FixedPoint
    non_finite: int
    first_step: int
    first_rank: int
    def __init__(self, name: _Optional[str] = ..., sum: _Optional[_Union[FixedPoint, _Mapping]] = ..., weight: _Optional[_Union[FixedPoint, _Mapping]] = ..., non_finite: _Optional[int] = ..., first_step: _Optional[int] = ..., first_rank: _Optional[int] = ...) -> None: ...

class StateSpec(_message.Message):
    __slots__ = ("metric", "state", "shape")
    METRIC_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    metric: str
    state: str
    shape: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, metric: _Optional[str] = ..., state: _Optional[str] = ..., shape: _Optional[_Iterable[int]] = ...) -> None: ...

class Layout(_message.Message):
    __slots__ = ("states", "others")
    STATES_FIELD_NUMBER: _ClassVar[int]
    OTHERS_FIELD_NUMBER: _ClassVar[int]
    states: _containers.RepeatedCompositeFieldContainer[StateSpec]
    others: _containers.RepeatedCompositeFieldContainer[StateSpec]
    def __init__(self, states: _Optional[_Iterable[_Union[StateSpec, _Mapping]]] = ..., others: _Optional[_Iterable[_Union[StateSpec, _Mapping]]] = ...) -> None: ...

class CountGroup(_message.Message):
    __slots__ = ("positions", "position_bytes", "values", "value_bytes", "shift")
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    POSITION_BYTES_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    VALUE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SHIFT_FIELD_NUMBER: _ClassVar[int]
    positions: bytes
    position_bytes: int
    values: bytes
    value_bytes: int
    shift: int
    def __init__(self, positions: _Optional[bytes] = ..., position_bytes: _Optional[int] = ..., values: _Optional[bytes] = ..., value_bytes: _Optional[int] = ..., shift: _Optional[int] = ...) -> None: ...

class TensorState(_message.Message):
    __slots__ = ("name", "shape", "kind", "units", "non_finite", "extreme")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        REAL: _ClassVar[TensorState.Kind]
        MIN: _ClassVar[TensorState.Kind]
        MAX: _ClassVar[TensorState.Kind]
    REAL: TensorState.Kind
    MIN: TensorState.Kind
    MAX: TensorState.Kind
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    NON_FINITE_FIELD_NUMBER: _ClassVar[int]
    EXTREME_FIELD_NUMBER: _ClassVar[int]
    name: str
    shape: _containers.RepeatedScalarFieldContainer[int]
    kind: TensorState.Kind
    units: bytes
    non_finite: _containers.RepeatedScalarFieldContainer[int]
    extreme: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, name: _Optional[str] = ..., shape: _Optional[_Iterable[int]] = ..., kind: _Optional[_Union[TensorState.Kind, str]] = ..., units: _Optional[bytes] = ..., non_finite: _Optional[_Iterable[int]] = ..., extreme: _Optional[_Iterable[float]] = ...) -> None: ...

class MetricState(_message.Message):
    __slots__ = ("name", "states")
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    name: str
    states: _containers.RepeatedCompositeFieldContainer[TensorState]
    def __init__(self, name: _Optional[str] = ..., states: _Optional[_Iterable[_Union[TensorState, _Mapping]]] = ...) -> None: ...

class Histogram(_message.Message):
    __slots__ = ("name", "edges", "counts", "minimum", "maximum", "sum", "sum_squares")
    NAME_FIELD_NUMBER: _ClassVar[int]
    EDGES_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_FIELD_NUMBER: _ClassVar[int]
    SUM_FIELD_NUMBER: _ClassVar[int]
    SUM_SQUARES_FIELD_NUMBER: _ClassVar[int]
    name: str
    edges: _containers.RepeatedScalarFieldContainer[float]
    counts: _containers.RepeatedScalarFieldContainer[int]
    minimum: float
    maximum: float
    sum: float
    sum_squares: float
    def __init__(self, name: _Optional[str] = ..., edges: _Optional[_Iterable[float]] = ..., counts: _Optional[_Iterable[int]] = ..., minimum: _Optional[float] = ..., maximum: _Optional[float] = ..., sum: _Optional[float] = ..., sum_squares: _Optional[float] = ...) -> None: ...

class Scalar(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: float
    def __init__(self, name: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...

class ScalarTotal(_message.Message):
    __slots__ = ("name", "reduction", "count", "non_finite", "sum", "extreme")
    class Reduction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        MEAN: _ClassVar[ScalarTotal.Reduction]
        SUM: _ClassVar[ScalarTotal.Reduction]
        MIN: _ClassVar[ScalarTotal.Reduction]
        MAX: _ClassVar[ScalarTotal.Reduction]
    MEAN: ScalarTotal.Reduction
    SUM: ScalarTotal.Reduction
    MIN: ScalarTotal.Reduction
    MAX: ScalarTotal.Reduction
    NAME_FIELD_NUMBER: _ClassVar[int]
    REDUCTION_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    NON_FINITE_FIELD_NUMBER: _ClassVar[int]
    SUM_FIELD_NUMBER: _ClassVar[int]
    EXTREME_FIELD_NUMBER: _ClassVar[int]
    name: str
    reduction: ScalarTotal.Reduction
    count: int
    non_finite: int
    sum: FixedPoint
    extreme: float
    def __init__(self, name: _Optional[str] = ..., reduction: _Optional[_Union[ScalarTotal.Reduction, str]] = ..., count: _Optional[int] = ..., non_finite: _Optional[int] = ..., sum: _Optional[_Union[FixedPoint, _Mapping]] = ..., extreme: _Optional[float] = ...) -> None: ...

class SendingCounts(_message.Message):
    __slots__ = ("sent", "bytes", "in_flight", "latencies")
    SENT_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    LATENCIES_FIELD_NUMBER: _ClassVar[int]
    sent: int
    bytes: int
    in_flight: int
    latencies: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, sent: _Optional[int] = ..., bytes: _Optional[int] = ..., in_flight: _Optional[int] = ..., latencies: _Optional[_Iterable[int]] = ...) -> None: ...

class TableSpec(_message.Message):
    __slots__ = ("name", "rows", "is_hashed")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    IS_HASHED_FIELD_NUMBER: _ClassVar[int]
    name: str
    rows: int
    is_hashed: bool
    def __init__(self, name: _Optional[str] = ..., rows: _Optional[int] = ..., is_hashed: bool = ...) -> None: ...

class TableLayout(_message.Message):
    __slots__ = ("tables",)
    TABLES_FIELD_NUMBER: _ClassVar[int]
    tables: _containers.RepeatedCompositeFieldContainer[TableSpec]
    def __init__(self, tables: _Optional[_Iterable[_Union[TableSpec, _Mapping]]] = ...) -> None: ...

class TableCounts(_message.Message):
    __slots__ = ("table", "counts", "levels")
    class CountsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class LevelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    TABLE_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    LEVELS_FIELD_NUMBER: _ClassVar[int]
    table: str
    counts: _containers.ScalarMap[str, int]
    levels: _containers.ScalarMap[str, int]
    def __init__(self, table: _Optional[str] = ..., counts: _Optional[_Mapping[str, int]] = ..., levels: _Optional[_Mapping[str, int]] = ...) -> None: ...

class TableSketches(_message.Message):
    __slots__ = ("layout", "lookups", "touched", "bucket_lookups", "large_positions", "large_lookups", "row_norms", "incomplete", "counts")
    LAYOUT_FIELD_NUMBER: _ClassVar[int]
    LOOKUPS_FIELD_NUMBER: _ClassVar[int]
    TOUCHED_FIELD_NUMBER: _ClassVar[int]
    BUCKET_LOOKUPS_FIELD_NUMBER: _ClassVar[int]
    LARGE_POSITIONS_FIELD_NUMBER: _ClassVar[int]
    LARGE_LOOKUPS_FIELD_NUMBER: _ClassVar[int]
    ROW_NORMS_FIELD_NUMBER: _ClassVar[int]
    INCOMPLETE_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    layout: bytes
    lookups: _containers.RepeatedScalarFieldContainer[int]
    touched: bytes
    bucket_lookups: bytes
    large_positions: bytes
    large_lookups: bytes
    row_norms: bytes
    incomplete: bool
    counts: _containers.RepeatedCompositeFieldContainer[TableCounts]
    def __init__(self, layout: _Optional[bytes] = ..., lookups: _Optional[_Iterable[int]] = ..., touched: _Optional[bytes] = ..., bucket_lookups: _Optional[bytes] = ..., large_positions: _Optional[bytes] = ..., large_lookups: _Optional[bytes] = ..., row_norms: _Optional[bytes] = ..., incomplete: bool = ..., counts: _Optional[_Iterable[_Union[TableCounts, _Mapping]]] = ...) -> None: ...

class RankNumbers(_message.Message):
    __slots__ = ("names", "ranks", "values")
    NAMES_FIELD_NUMBER: _ClassVar[int]
    RANKS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    names: _containers.RepeatedScalarFieldContainer[str]
    ranks: _containers.RepeatedScalarFieldContainer[int]
    values: bytes
    def __init__(self, names: _Optional[_Iterable[str]] = ..., ranks: _Optional[_Iterable[int]] = ..., values: _Optional[bytes] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ("attempt", "rank", "host", "pid", "node_id", "step", "phase", "phase_s", "deadline_s", "waits", "last", "world_size")
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    PHASE_S_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_S_FIELD_NUMBER: _ClassVar[int]
    WAITS_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    WORLD_SIZE_FIELD_NUMBER: _ClassVar[int]
    attempt: int
    rank: int
    host: str
    pid: int
    node_id: str
    step: int
    phase: str
    phase_s: float
    deadline_s: float
    waits: bool
    last: bool
    world_size: int
    def __init__(self, attempt: _Optional[int] = ..., rank: _Optional[int] = ..., host: _Optional[str] = ..., pid: _Optional[int] = ..., node_id: _Optional[str] = ..., step: _Optional[int] = ..., phase: _Optional[str] = ..., phase_s: _Optional[float] = ..., deadline_s: _Optional[float] = ..., waits: bool = ..., last: bool = ..., world_size: _Optional[int] = ...) -> None: ...

class Heartbeats(_message.Message):
    __slots__ = ("schema_version", "beats")
    SCHEMA_VERSION_FIELD_NUMBER: _ClassVar[int]
    BEATS_FIELD_NUMBER: _ClassVar[int]
    schema_version: int
    beats: _containers.RepeatedCompositeFieldContainer[Heartbeat]
    def __init__(self, schema_version: _Optional[int] = ..., beats: _Optional[_Iterable[_Union[Heartbeat, _Mapping]]] = ...) -> None: ...

class MetricFailure(_message.Message):
    __slots__ = ("metric", "reason", "rank")
    METRIC_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    metric: str
    reason: str
    rank: int
    def __init__(self, metric: _Optional[str] = ..., reason: _Optional[str] = ..., rank: _Optional[int] = ...) -> None: ...

class DeviceNumbers(_message.Message):
    __slots__ = ("max_bytes", "allocated_bytes", "reserved_bytes", "busy_percent", "samples")
    MAX_BYTES_FIELD_NUMBER: _ClassVar[int]
    ALLOCATED_BYTES_FIELD_NUMBER: _ClassVar[int]
    RESERVED_BYTES_FIELD_NUMBER: _ClassVar[int]
    BUSY_PERCENT_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    max_bytes: int
    allocated_bytes: int
    reserved_bytes: int
    busy_percent: int
    samples: int
    def __init__(self, max_bytes: _Optional[int] = ..., allocated_bytes: _Optional[int] = ..., reserved_bytes: _Optional[int] = ..., busy_percent: _Optional[int] = ..., samples: _Optional[int] = ...) -> None: ...

class WindowReport(_message.Message):
    __slots__ = ("schema_version", "attempt", "ranks", "index", "first_step", "end_step", "samples", "epoch", "wall_s", "phases", "losses", "layout", "counts", "metrics", "learning_rates", "gradient_norms", "histograms", "checkpoint", "dropped", "first_kept", "lost", "ended", "failures", "sending", "host_bytes", "input_counts", "failure_reasons", "save_counts", "tables", "skipped_steps", "loss_scale", "device", "rank_numbers", "time", "metric_failures", "dense_gradient_norm", "scalars")
    class InputCountsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class FailureReasonsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class SaveCountsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    SCHEMA_VERSION_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    RANKS_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    FIRST_STEP_FIELD_NUMBER: _ClassVar[int]
    END_STEP_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    WALL_S_FIELD_NUMBER: _ClassVar[int]
    PHASES_FIELD_NUMBER: _ClassVar[int]
    LOSSES_FIELD_NUMBER: _ClassVar[int]
    LAYOUT_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    LEARNING_RATES_FIELD_NUMBER: _ClassVar[int]
    GRADIENT_NORMS_FIELD_NUMBER: _ClassVar[int]
    HISTOGRAMS_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    FIRST_KEPT_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    SENDING_FIELD_NUMBER: _ClassVar[int]
    HOST_BYTES_FIELD_NUMBER: _ClassVar[int]
    INPUT_COUNTS_FIELD_NUMBER: _ClassVar[int]
    FAILURE_REASONS_FIELD_NUMBER: _ClassVar[int]
    SAVE_COUNTS_FIELD_NUMBER: _ClassVar[int]
    TABLES_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_STEPS_FIELD_NUMBER: _ClassVar[int]
    LOSS_SCALE_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    RANK_NUMBERS_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    METRIC_FAILURES_FIELD_NUMBER: _ClassVar[int]
    DENSE_GRADIENT_NORM_FIELD_NUMBER: _ClassVar[int]
    SCALARS_FIELD_NUMBER: _ClassVar[int]
    schema_version: int
    attempt: int
    ranks: _containers.RepeatedScalarFieldContainer[int]
    index: int
    first_step: int
    end_step: int
    samples: int
    epoch: int
    wall_s: float
    phases: _containers.RepeatedCompositeFieldContainer[Scalar]
    losses: _containers.RepeatedCompositeFieldContainer[LossSum]
    layout: int
    counts: _containers.RepeatedCompositeFieldContainer[CountGroup]
    metrics: _containers.RepeatedCompositeFieldContainer[MetricState]
    learning_rates: _containers.RepeatedScalarFieldContainer[float]
    gradient_norms: _containers.RepeatedCompositeFieldContainer[Scalar]
    histograms: _containers.RepeatedCompositeFieldContainer[Histogram]
    checkpoint: bool
    dropped: int
    first_kept: int
    lost: _containers.RepeatedScalarFieldContainer[int]
    ended: _containers.RepeatedScalarFieldContainer[int]
    failures: int
    sending: SendingCounts
    host_bytes: int
    input_counts: _containers.ScalarMap[str, int]
    failure_reasons: _containers.ScalarMap[str, int]
    save_counts: _containers.ScalarMap[str, int]
    tables: TableSketches
    skipped_steps: int
    loss_scale: float
    device: DeviceNumbers
    rank_numbers: RankNumbers
    time: float
    metric_failures: _containers.RepeatedCompositeFieldContainer[MetricFailure]
    dense_gradient_norm: float
    scalars: _containers.RepeatedCompositeFieldContainer[ScalarTotal]
    def __init__(self, schema_version: _Optional[int] = ..., attempt: _Optional[int] = ..., ranks: _Optional[_Iterable[int]] = ..., index: _Optional[int] = ..., first_step: _Optional[int] = ..., end_step: _Optional[int] = ..., samples: _Optional[int] = ..., epoch: _Optional[int] = ..., wall_s: _Optional[float] = ..., phases: _Optional[_Iterable[_Union[Scalar, _Mapping]]] = ..., losses: _Optional[_Iterable[_Union[LossSum, _Mapping]]] = ..., layout: _Optional[int] = ..., counts: _Optional[_Iterable[_Union[CountGroup, _Mapping]]] = ..., metrics: _Optional[_Iterable[_Union[MetricState, _Mapping]]] = ..., learning_rates: _Optional[_Iterable[float]] = ..., gradient_norms: _Optional[_Iterable[_Union[Scalar, _Mapping]]] = ..., histograms: _Optional[_Iterable[_Union[Histogram, _Mapping]]] = ..., checkpoint: bool = ..., dropped: _Optional[int] = ..., first_kept: _Optional[int] = ..., lost: _Optional[_Iterable[int]] = ..., ended: _Optional[_Iterable[int]] = ..., failures: _Optional[int] = ..., sending: _Optional[_Union[SendingCounts, _Mapping]] = ..., host_bytes: _Optional[int] = ..., input_counts: _Optional[_Mapping[str, int]] = ..., failure_reasons: _Optional[_Mapping[str, int]] = ..., save_counts: _Optional[_Mapping[str, int]] = ..., tables: _Optional[_Union[TableSketches, _Mapping]] = ..., skipped_steps: _Optional[int] = ..., loss_scale: _Optional[float] = ..., device: _Optional[_Union[DeviceNumbers, _Mapping]] = ..., rank_numbers: _Optional[_Union[RankNumbers, _Mapping]] = ..., time: _Optional[float] = ..., metric_failures: _Optional[_Iterable[_Union[MetricFailure, _Mapping]]] = ..., dense_gradient_norm: _Optional[float] = ..., scalars: _Optional[_Iterable[_Union[ScalarTotal, _Mapping]]] = ...) -> None: ...

class PlainTensor(_message.Message):
    __slots__ = ("name", "shape", "is_real", "data")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    IS_REAL_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    name: str
    shape: _containers.RepeatedScalarFieldContainer[int]
    is_real: bool
    data: bytes
    def __init__(self, name: _Optional[str] = ..., shape: _Optional[_Iterable[int]] = ..., is_real: bool = ..., data: _Optional[bytes] = ...) -> None: ...

class DecayState(_message.Message):
    __slots__ = ("name", "decay", "folds", "failure", "misses_steps")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DECAY_FIELD_NUMBER: _ClassVar[int]
    FOLDS_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    MISSES_STEPS_FIELD_NUMBER: _ClassVar[int]
    name: str
    decay: _containers.RepeatedCompositeFieldContainer[PlainTensor]
    folds: int
    failure: MetricFailure
    misses_steps: bool
    def __init__(self, name: _Optional[str] = ..., decay: _Optional[_Iterable[_Union[PlainTensor, _Mapping]]] = ..., folds: _Optional[int] = ..., failure: _Optional[_Union[MetricFailure, _Mapping]] = ..., misses_steps: bool = ...) -> None: ...

class InvalidCounts(_message.Message):
    __slots__ = ("name", "counts")
    NAME_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    counts: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, name: _Optional[str] = ..., counts: _Optional[_Iterable[int]] = ...) -> None: ...

class LogIntervalState(_message.Message):
    __slots__ = ("first_step", "samples", "seconds", "losses", "phases", "invalid", "counts", "metrics", "tables", "skipped_steps", "rank_numbers", "metric_failures", "scalars")
    FIRST_STEP_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    LOSSES_FIELD_NUMBER: _ClassVar[int]
    PHASES_FIELD_NUMBER: _ClassVar[int]
    INVALID_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    TABLES_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_STEPS_FIELD_NUMBER: _ClassVar[int]
    RANK_NUMBERS_FIELD_NUMBER: _ClassVar[int]
    METRIC_FAILURES_FIELD_NUMBER: _ClassVar[int]
    SCALARS_FIELD_NUMBER: _ClassVar[int]
    first_step: int
    samples: int
    seconds: float
    losses: _containers.RepeatedCompositeFieldContainer[LossSum]
    phases: _containers.RepeatedCompositeFieldContainer[Scalar]
    invalid: _containers.RepeatedCompositeFieldContainer[InvalidCounts]
    counts: _containers.RepeatedCompositeFieldContainer[CountGroup]
    metrics: _containers.RepeatedCompositeFieldContainer[MetricState]
    tables: TableSketches
    skipped_steps: int
    rank_numbers: RankNumbers
    metric_failures: _containers.RepeatedCompositeFieldContainer[MetricFailure]
    scalars: _containers.RepeatedCompositeFieldContainer[ScalarTotal]
    def __init__(self, first_step: _Optional[int] = ..., samples: _Optional[int] = ..., seconds: _Optional[float] = ..., losses: _Optional[_Iterable[_Union[LossSum, _Mapping]]] = ..., phases: _Optional[_Iterable[_Union[Scalar, _Mapping]]] = ..., invalid: _Optional[_Iterable[_Union[InvalidCounts, _Mapping]]] = ..., counts: _Optional[_Iterable[_Union[CountGroup, _Mapping]]] = ..., metrics: _Optional[_Iterable[_Union[MetricState, _Mapping]]] = ..., tables: _Optional[_Union[TableSketches, _Mapping]] = ..., skipped_steps: _Optional[int] = ..., rank_numbers: _Optional[_Union[RankNumbers, _Mapping]] = ..., metric_failures: _Optional[_Iterable[_Union[MetricFailure, _Mapping]]] = ..., scalars: _Optional[_Iterable[_Union[ScalarTotal, _Mapping]]] = ...) -> None: ...

class AttemptRecord(_message.Message):
    __slots__ = ("number", "token", "world_size", "restored_step", "layout", "closed", "ended")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    WORLD_SIZE_FIELD_NUMBER: _ClassVar[int]
    RESTORED_STEP_FIELD_NUMBER: _ClassVar[int]
    LAYOUT_FIELD_NUMBER: _ClassVar[int]
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    number: int
    token: str
    world_size: int
    restored_step: int
    layout: Layout
    closed: int
    ended: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, number: _Optional[int] = ..., token: _Optional[str] = ..., world_size: _Optional[int] = ..., restored_step: _Optional[int] = ..., layout: _Optional[_Union[Layout, _Mapping]] = ..., closed: _Optional[int] = ..., ended: _Optional[_Iterable[int]] = ...) -> None: ...

class InputError(_message.Message):
    __slots__ = ("metric", "what", "count")
    METRIC_FIELD_NUMBER: _ClassVar[int]
    WHAT_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    metric: str
    what: str
    count: int
    def __init__(self, metric: _Optional[str] = ..., what: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class EvaluationRecord(_message.Message):
    __slots__ = ("step", "metrics", "bounds", "input_errors", "details", "no_value", "time", "curves", "groups", "seconds")
    class NoValueEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    STEP_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    BOUNDS_FIELD_NUMBER: _ClassVar[int]
    INPUT_ERRORS_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    NO_VALUE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    CURVES_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    step: int
    metrics: _containers.RepeatedCompositeFieldContainer[Scalar]
    bounds: _containers.RepeatedCompositeFieldContainer[Scalar]
    input_errors: _containers.RepeatedCompositeFieldContainer[InputError]
    details: _containers.RepeatedCompositeFieldContainer[MetricDetail]
    no_value: _containers.ScalarMap[str, str]
    time: float
    curves: _containers.RepeatedCompositeFieldContainer[ScoreCurvesRecord]
    groups: _containers.RepeatedCompositeFieldContainer[GroupFiguresRecord]
    seconds: float
    def __init__(self, step: _Optional[int] = ..., metrics: _Optional[_Iterable[_Union[Scalar, _Mapping]]] = ..., bounds: _Optional[_Iterable[_Union[Scalar, _Mapping]]] = ..., input_errors: _Optional[_Iterable[_Union[InputError, _Mapping]]] = ..., details: _Optional[_Iterable[_Union[MetricDetail, _Mapping]]] = ..., no_value: _Optional[_Mapping[str, str]] = ..., time: _Optional[float] = ..., curves: _Optional[_Iterable[_Union[ScoreCurvesRecord, _Mapping]]] = ..., groups: _Optional[_Iterable[_Union[GroupFiguresRecord, _Mapping]]] = ..., seconds: _Optional[float] = ...) -> None: ...

class ScoreCurvesRecord(_message.Message):
    __slots__ = ("metric", "edges", "negative", "positive", "predicted", "observed", "weight", "false_positive_rate", "true_positive_rate", "recall", "precision")
    METRIC_FIELD_NUMBER: _ClassVar[int]
    EDGES_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_FIELD_NUMBER: _ClassVar[int]
    POSITIVE_FIELD_NUMBER: _ClassVar[int]
    PREDICTED_FIELD_NUMBER: _ClassVar[int]
    OBSERVED_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    FALSE_POSITIVE_RATE_FIELD_NUMBER: _ClassVar[int]
    TRUE_POSITIVE_RATE_FIELD_NUMBER: _ClassVar[int]
    RECALL_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    metric: str
    edges: _containers.RepeatedScalarFieldContainer[float]
    negative: _containers.RepeatedScalarFieldContainer[float]
    positive: _containers.RepeatedScalarFieldContainer[float]
    predicted: _containers.RepeatedScalarFieldContainer[float]
    observed: _containers.RepeatedScalarFieldContainer[float]
    weight: _containers.RepeatedScalarFieldContainer[float]
    false_positive_rate: _containers.RepeatedScalarFieldContainer[float]
    true_positive_rate: _containers.RepeatedScalarFieldContainer[float]
    recall: _containers.RepeatedScalarFieldContainer[float]
    precision: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, metric: _Optional[str] = ..., edges: _Optional[_Iterable[float]] = ..., negative: _Optional[_Iterable[float]] = ..., positive: _Optional[_Iterable[float]] = ..., predicted: _Optional[_Iterable[float]] = ..., observed: _Optional[_Iterable[float]] = ..., weight: _Optional[_Iterable[float]] = ..., false_positive_rate: _Optional[_Iterable[float]] = ..., true_positive_rate: _Optional[_Iterable[float]] = ..., recall: _Optional[_Iterable[float]] = ..., precision: _Optional[_Iterable[float]] = ...) -> None: ...

class GroupFiguresRecord(_message.Message):
    __slots__ = ("metric", "edges", "groups", "quantiles")
    class QuantilesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    METRIC_FIELD_NUMBER: _ClassVar[int]
    EDGES_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    QUANTILES_FIELD_NUMBER: _ClassVar[int]
    metric: str
    edges: _containers.RepeatedScalarFieldContainer[float]
    groups: _containers.RepeatedScalarFieldContainer[int]
    quantiles: _containers.ScalarMap[str, float]
    def __init__(self, metric: _Optional[str] = ..., edges: _Optional[_Iterable[float]] = ..., groups: _Optional[_Iterable[int]] = ..., quantiles: _Optional[_Mapping[str, float]] = ...) -> None: ...

class MetricDetail(_message.Message):
    __slots__ = ("metric", "name", "value")
    METRIC_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    metric: str
    name: str
    value: float
    def __init__(self, metric: _Optional[str] = ..., name: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...

class JournalRecord(_message.Message):
    __slots__ = ("attempt", "window", "evaluation")
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    EVALUATION_FIELD_NUMBER: _ClassVar[int]
    attempt: AttemptRecord
    window: WindowReport
    evaluation: EvaluationRecord
    def __init__(self, attempt: _Optional[_Union[AttemptRecord, _Mapping]] = ..., window: _Optional[_Union[WindowReport, _Mapping]] = ..., evaluation: _Optional[_Union[EvaluationRecord, _Mapping]] = ...) -> None: ...

class MonitoringCostState(_message.Message):
    __slots__ = ("windows", "windows_lost", "failures", "sending", "input_counts", "failure_reasons", "save_counts")
    class InputCountsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class FailureReasonsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class SaveCountsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    WINDOWS_FIELD_NUMBER: _ClassVar[int]
    WINDOWS_LOST_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    SENDING_FIELD_NUMBER: _ClassVar[int]
    INPUT_COUNTS_FIELD_NUMBER: _ClassVar[int]
    FAILURE_REASONS_FIELD_NUMBER: _ClassVar[int]
    SAVE_COUNTS_FIELD_NUMBER: _ClassVar[int]
    windows: int
    windows_lost: int
    failures: int
    sending: SendingCounts
    input_counts: _containers.ScalarMap[str, int]
    failure_reasons: _containers.ScalarMap[str, int]
    save_counts: _containers.ScalarMap[str, int]
    def __init__(self, windows: _Optional[int] = ..., windows_lost: _Optional[int] = ..., failures: _Optional[int] = ..., sending: _Optional[_Union[SendingCounts, _Mapping]] = ..., input_counts: _Optional[_Mapping[str, int]] = ..., failure_reasons: _Optional[_Mapping[str, int]] = ..., save_counts: _Optional[_Mapping[str, int]] = ...) -> None: ...

class ReporterState(_message.Message):
    __slots__ = ("schema_version", "end_step", "samples", "train_s", "monitor_s", "metrics", "layout", "open_counts", "open_metrics", "log_interval", "attempts", "monitoring_cost", "evaluations", "origin_step", "touched_rows", "skipped_steps", "rank_numbers")
    SCHEMA_VERSION_FIELD_NUMBER: _ClassVar[int]
    END_STEP_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    TRAIN_S_FIELD_NUMBER: _ClassVar[int]
    MONITOR_S_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    LAYOUT_FIELD_NUMBER: _ClassVar[int]
    OPEN_COUNTS_FIELD_NUMBER: _ClassVar[int]
    OPEN_METRICS_FIELD_NUMBER: _ClassVar[int]
    LOG_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    MONITORING_COST_FIELD_NUMBER: _ClassVar[int]
    EVALUATIONS_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_STEP_FIELD_NUMBER: _ClassVar[int]
    TOUCHED_ROWS_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_STEPS_FIELD_NUMBER: _ClassVar[int]
    RANK_NUMBERS_FIELD_NUMBER: _ClassVar[int]
    schema_version: int
    end_step: int
    samples: int
    train_s: float
    monitor_s: float
    metrics: _containers.RepeatedCompositeFieldContainer[DecayState]
    layout: Layout
    open_counts: _containers.RepeatedCompositeFieldContainer[CountGroup]
    open_metrics: _containers.RepeatedCompositeFieldContainer[MetricState]
    log_interval: LogIntervalState
    attempts: _containers.RepeatedCompositeFieldContainer[AttemptRecord]
    monitoring_cost: MonitoringCostState
    evaluations: _containers.RepeatedCompositeFieldContainer[EvaluationRecord]
    origin_step: int
    touched_rows: TableSketches
    skipped_steps: int
    rank_numbers: RankNumbers
    def __init__(self, schema_version: _Optional[int] = ..., end_step: _Optional[int] = ..., samples: _Optional[int] = ..., train_s: _Optional[float] = ..., monitor_s: _Optional[float] = ..., metrics: _Optional[_Iterable[_Union[DecayState, _Mapping]]] = ..., layout: _Optional[_Union[Layout, _Mapping]] = ..., open_counts: _Optional[_Iterable[_Union[CountGroup, _Mapping]]] = ..., open_metrics: _Optional[_Iterable[_Union[MetricState, _Mapping]]] = ..., log_interval: _Optional[_Union[LogIntervalState, _Mapping]] = ..., attempts: _Optional[_Iterable[_Union[AttemptRecord, _Mapping]]] = ..., monitoring_cost: _Optional[_Union[MonitoringCostState, _Mapping]] = ..., evaluations: _Optional[_Iterable[_Union[EvaluationRecord, _Mapping]]] = ..., origin_step: _Optional[int] = ..., touched_rows: _Optional[_Union[TableSketches, _Mapping]] = ..., skipped_steps: _Optional[int] = ..., rank_numbers: _Optional[_Union[RankNumbers, _Mapping]] = ...) -> None: ...

class Invitation(_message.Message):
    __slots__ = ("address", "port", "token", "refused")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    address: str
    port: int
    token: bytes
    refused: str
    def __init__(self, address: _Optional[str] = ..., port: _Optional[int] = ..., token: _Optional[bytes] = ..., refused: _Optional[str] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("schema_version", "rank", "world_size", "host", "pid", "channel", "nonce", "layout", "metrics", "log_step_count_steps", "first_step")
    SCHEMA_VERSION_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    WORLD_SIZE_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    LAYOUT_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    LOG_STEP_COUNT_STEPS_FIELD_NUMBER: _ClassVar[int]
    FIRST_STEP_FIELD_NUMBER: _ClassVar[int]
    schema_version: int
    rank: int
    world_size: int
    host: str
    pid: int
    channel: bytes
    nonce: bytes
    layout: int
    metrics: _containers.RepeatedScalarFieldContainer[str]
    log_step_count_steps: int
    first_step: int
    def __init__(self, schema_version: _Optional[int] = ..., rank: _Optional[int] = ..., world_size: _Optional[int] = ..., host: _Optional[str] = ..., pid: _Optional[int] = ..., channel: _Optional[bytes] = ..., nonce: _Optional[bytes] = ..., layout: _Optional[int] = ..., metrics: _Optional[_Iterable[str]] = ..., log_step_count_steps: _Optional[int] = ..., first_step: _Optional[int] = ...) -> None: ...

class Welcome(_message.Message):
    __slots__ = ("refused",)
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    refused: str
    def __init__(self, refused: _Optional[str] = ...) -> None: ...

class ChannelCall(_message.Message):
    __slots__ = ("number", "window", "heartbeats", "question", "evaluation", "notice", "progress", "goodbye")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    HEARTBEATS_FIELD_NUMBER: _ClassVar[int]
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    EVALUATION_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    GOODBYE_FIELD_NUMBER: _ClassVar[int]
    number: int
    window: bytes
    heartbeats: bytes
    question: bool
    evaluation: EvaluationRecord
    notice: NoticeCall
    progress: ProgressCall
    goodbye: GoodbyeCall
    def __init__(self, number: _Optional[int] = ..., window: _Optional[bytes] = ..., heartbeats: _Optional[bytes] = ..., question: bool = ..., evaluation: _Optional[_Union[EvaluationRecord, _Mapping]] = ..., notice: _Optional[_Union[NoticeCall, _Mapping]] = ..., progress: _Optional[_Union[ProgressCall, _Mapping]] = ..., goodbye: _Optional[_Union[GoodbyeCall, _Mapping]] = ...) -> None: ...

class NoticeCall(_message.Message):
    __slots__ = ("text", "level")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    text: str
    level: int
    def __init__(self, text: _Optional[str] = ..., level: _Optional[int] = ...) -> None: ...

class ProgressCall(_message.Message):
    __slots__ = ("step", "done", "total", "seconds")
    STEP_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    step: int
    done: int
    total: int
    seconds: float
    def __init__(self, step: _Optional[int] = ..., done: _Optional[int] = ..., total: _Optional[int] = ..., seconds: _Optional[float] = ...) -> None: ...

class GoodbyeCall(_message.Message):
    __slots__ = ("failure",)
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    failure: str
    def __init__(self, failure: _Optional[str] = ...) -> None: ...

class ChannelAnswer(_message.Message):
    __slots__ = ("number", "ack", "failure")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    ACK_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    number: int
    ack: AckRecord
    failure: str
    def __init__(self, number: _Optional[int] = ..., ack: _Optional[_Union[AckRecord, _Mapping]] = ..., failure: _Optional[str] = ...) -> None: ...

class AckRecord(_message.Message):
    __slots__ = ("life", "begun", "durable", "values", "refused", "storage_fails")
    LIFE_FIELD_NUMBER: _ClassVar[int]
    BEGUN_FIELD_NUMBER: _ClassVar[int]
    DURABLE_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    STORAGE_FAILS_FIELD_NUMBER: _ClassVar[int]
    life: str
    begun: bool
    durable: int
    values: _containers.RepeatedCompositeFieldContainer[Scalar]
    refused: str
    storage_fails: bool
    def __init__(self, life: _Optional[str] = ..., begun: bool = ..., durable: _Optional[int] = ..., values: _Optional[_Iterable[_Union[Scalar, _Mapping]]] = ..., refused: _Optional[str] = ..., storage_fails: bool = ...) -> None: ...
