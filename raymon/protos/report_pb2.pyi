from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FixedPoint(_message.Message):
    __slots__ = ("value", "fraction_bits")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    FRACTION_BITS_FIELD_NUMBER: _ClassVar[int]
    value: int
    fraction_bits: int
    def __init__(self, value: _Optional[int] = ..., fraction_bits: _Optional[int] = ...) -> None: ...

class LossSum(_message.Message):
    __slots__ = ("name", "sum", "weight", "non_finite")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SUM_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    NON_FINITE_FIELD_NUMBER: _ClassVar[int]
    name: str
    sum: FixedPoint
    weight: FixedPoint
    non_finite: int
    def __init__(self, name: _Optional[str] = ..., sum: _Optional[_Union[FixedPoint, _Mapping]] = ..., weight: _Optional[_Union[FixedPoint, _Mapping]] = ..., non_finite: _Optional[int] = ...) -> None: ...

class TensorState(_message.Message):
    __slots__ = ("name", "shape", "sparse", "index_delta", "value", "shift", "kind", "non_finite", "extreme")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        COUNT: _ClassVar[TensorState.Kind]
        REAL: _ClassVar[TensorState.Kind]
        MIN: _ClassVar[TensorState.Kind]
        MAX: _ClassVar[TensorState.Kind]
    COUNT: TensorState.Kind
    REAL: TensorState.Kind
    MIN: TensorState.Kind
    MAX: TensorState.Kind
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    SPARSE_FIELD_NUMBER: _ClassVar[int]
    INDEX_DELTA_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    SHIFT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    NON_FINITE_FIELD_NUMBER: _ClassVar[int]
    EXTREME_FIELD_NUMBER: _ClassVar[int]
    name: str
    shape: _containers.RepeatedScalarFieldContainer[int]
    sparse: bool
    index_delta: _containers.RepeatedScalarFieldContainer[int]
    value: _containers.RepeatedScalarFieldContainer[int]
    shift: int
    kind: TensorState.Kind
    non_finite: _containers.RepeatedScalarFieldContainer[int]
    extreme: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, name: _Optional[str] = ..., shape: _Optional[_Iterable[int]] = ..., sparse: bool = ..., index_delta: _Optional[_Iterable[int]] = ..., value: _Optional[_Iterable[int]] = ..., shift: _Optional[int] = ..., kind: _Optional[_Union[TensorState.Kind, str]] = ..., non_finite: _Optional[_Iterable[int]] = ..., extreme: _Optional[_Iterable[float]] = ...) -> None: ...

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

class WindowReport(_message.Message):
    __slots__ = ("schema_version", "attempt", "rank", "index", "first_step", "end_step", "samples", "epoch", "wall_s", "phases", "losses", "metrics", "learning_rates", "gradient_norms", "histograms", "checkpoint", "dropped", "first_kept", "failures")
    SCHEMA_VERSION_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    FIRST_STEP_FIELD_NUMBER: _ClassVar[int]
    END_STEP_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    WALL_S_FIELD_NUMBER: _ClassVar[int]
    PHASES_FIELD_NUMBER: _ClassVar[int]
    LOSSES_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    LEARNING_RATES_FIELD_NUMBER: _ClassVar[int]
    GRADIENT_NORMS_FIELD_NUMBER: _ClassVar[int]
    HISTOGRAMS_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    FIRST_KEPT_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    schema_version: int
    attempt: int
    rank: int
    index: int
    first_step: int
    end_step: int
    samples: int
    epoch: int
    wall_s: float
    phases: _containers.RepeatedCompositeFieldContainer[Scalar]
    losses: _containers.RepeatedCompositeFieldContainer[LossSum]
    metrics: _containers.RepeatedCompositeFieldContainer[MetricState]
    learning_rates: _containers.RepeatedScalarFieldContainer[float]
    gradient_norms: _containers.RepeatedCompositeFieldContainer[Scalar]
    histograms: _containers.RepeatedCompositeFieldContainer[Histogram]
    checkpoint: bool
    dropped: int
    first_kept: int
    failures: int
    def __init__(self, schema_version: _Optional[int] = ..., attempt: _Optional[int] = ..., rank: _Optional[int] = ..., index: _Optional[int] = ..., first_step: _Optional[int] = ..., end_step: _Optional[int] = ..., samples: _Optional[int] = ..., epoch: _Optional[int] = ..., wall_s: _Optional[float] = ..., phases: _Optional[_Iterable[_Union[Scalar, _Mapping]]] = ..., losses: _Optional[_Iterable[_Union[LossSum, _Mapping]]] = ..., metrics: _Optional[_Iterable[_Union[MetricState, _Mapping]]] = ..., learning_rates: _Optional[_Iterable[float]] = ..., gradient_norms: _Optional[_Iterable[_Union[Scalar, _Mapping]]] = ..., histograms: _Optional[_Iterable[_Union[Histogram, _Mapping]]] = ..., checkpoint: bool = ..., dropped: _Optional[int] = ..., first_kept: _Optional[int] = ..., failures: _Optional[int] = ...) -> None: ...

class PlainTensor(_message.Message):
    __slots__ = ("name", "shape", "int_value", "real_value", "is_real")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    INT_VALUE_FIELD_NUMBER: _ClassVar[int]
    REAL_VALUE_FIELD_NUMBER: _ClassVar[int]
    IS_REAL_FIELD_NUMBER: _ClassVar[int]
    name: str
    shape: _containers.RepeatedScalarFieldContainer[int]
    int_value: _containers.RepeatedScalarFieldContainer[int]
    real_value: _containers.RepeatedScalarFieldContainer[float]
    is_real: bool
    def __init__(self, name: _Optional[str] = ..., shape: _Optional[_Iterable[int]] = ..., int_value: _Optional[_Iterable[int]] = ..., real_value: _Optional[_Iterable[float]] = ..., is_real: bool = ...) -> None: ...

class DecayState(_message.Message):
    __slots__ = ("name", "decay", "open")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DECAY_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    name: str
    decay: _containers.RepeatedCompositeFieldContainer[PlainTensor]
    open: MetricState
    def __init__(self, name: _Optional[str] = ..., decay: _Optional[_Iterable[_Union[PlainTensor, _Mapping]]] = ..., open: _Optional[_Union[MetricState, _Mapping]] = ...) -> None: ...

class InvalidCounts(_message.Message):
    __slots__ = ("name", "counts")
    NAME_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    counts: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, name: _Optional[str] = ..., counts: _Optional[_Iterable[int]] = ...) -> None: ...

class PeriodState(_message.Message):
    __slots__ = ("first_step", "samples", "seconds", "losses", "phases", "invalid")
    FIRST_STEP_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    LOSSES_FIELD_NUMBER: _ClassVar[int]
    PHASES_FIELD_NUMBER: _ClassVar[int]
    INVALID_FIELD_NUMBER: _ClassVar[int]
    first_step: int
    samples: int
    seconds: float
    losses: _containers.RepeatedCompositeFieldContainer[LossSum]
    phases: _containers.RepeatedCompositeFieldContainer[Scalar]
    invalid: _containers.RepeatedCompositeFieldContainer[InvalidCounts]
    def __init__(self, first_step: _Optional[int] = ..., samples: _Optional[int] = ..., seconds: _Optional[float] = ..., losses: _Optional[_Iterable[_Union[LossSum, _Mapping]]] = ..., phases: _Optional[_Iterable[_Union[Scalar, _Mapping]]] = ..., invalid: _Optional[_Iterable[_Union[InvalidCounts, _Mapping]]] = ...) -> None: ...

class ReporterState(_message.Message):
    __slots__ = ("schema_version", "end_step", "samples", "train_s", "monitor_s", "metrics", "period")
    SCHEMA_VERSION_FIELD_NUMBER: _ClassVar[int]
    END_STEP_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    TRAIN_S_FIELD_NUMBER: _ClassVar[int]
    MONITOR_S_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    schema_version: int
    end_step: int
    samples: int
    train_s: float
    monitor_s: float
    metrics: _containers.RepeatedCompositeFieldContainer[DecayState]
    period: PeriodState
    def __init__(self, schema_version: _Optional[int] = ..., end_step: _Optional[int] = ..., samples: _Optional[int] = ..., train_s: _Optional[float] = ..., monitor_s: _Optional[float] = ..., metrics: _Optional[_Iterable[_Union[DecayState, _Mapping]]] = ..., period: _Optional[_Union[PeriodState, _Mapping]] = ...) -> None: ...
