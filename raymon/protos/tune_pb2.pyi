from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class UniformRange(_message.Message):
    __slots__ = ("low", "high")
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    low: float
    high: float
    def __init__(self, low: _Optional[float] = ..., high: _Optional[float] = ...) -> None: ...

class LogUniformRange(_message.Message):
    __slots__ = ("low", "high")
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    low: float
    high: float
    def __init__(self, low: _Optional[float] = ..., high: _Optional[float] = ...) -> None: ...

class IntegerRange(_message.Message):
    __slots__ = ("low", "high")
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    low: int
    high: int
    def __init__(self, low: _Optional[int] = ..., high: _Optional[int] = ...) -> None: ...

class ValueList(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, values: _Optional[_Iterable[str]] = ...) -> None: ...

class TuneParameter(_message.Message):
    __slots__ = ("path", "uniform", "loguniform", "randint", "choice", "grid")
    PATH_FIELD_NUMBER: _ClassVar[int]
    UNIFORM_FIELD_NUMBER: _ClassVar[int]
    LOGUNIFORM_FIELD_NUMBER: _ClassVar[int]
    RANDINT_FIELD_NUMBER: _ClassVar[int]
    CHOICE_FIELD_NUMBER: _ClassVar[int]
    GRID_FIELD_NUMBER: _ClassVar[int]
    path: str
    uniform: UniformRange
    loguniform: LogUniformRange
    randint: IntegerRange
    choice: ValueList
    grid: ValueList
    def __init__(self, path: _Optional[str] = ..., uniform: _Optional[_Union[UniformRange, _Mapping]] = ..., loguniform: _Optional[_Union[LogUniformRange, _Mapping]] = ..., randint: _Optional[_Union[IntegerRange, _Mapping]] = ..., choice: _Optional[_Union[ValueList, _Mapping]] = ..., grid: _Optional[_Union[ValueList, _Mapping]] = ...) -> None: ...

class AshaConfig(_message.Message):
    __slots__ = ("grace_period", "reduction_factor", "max_t")
    GRACE_PERIOD_FIELD_NUMBER: _ClassVar[int]
    REDUCTION_FACTOR_FIELD_NUMBER: _ClassVar[int]
    MAX_T_FIELD_NUMBER: _ClassVar[int]
    grace_period: int
    reduction_factor: float
    max_t: int
    def __init__(self, grace_period: _Optional[int] = ..., reduction_factor: _Optional[float] = ..., max_t: _Optional[int] = ...) -> None: ...

class PbtConfig(_message.Message):
    __slots__ = ("perturbation_interval", "quantile_fraction", "resample_probability")
    PERTURBATION_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    QUANTILE_FRACTION_FIELD_NUMBER: _ClassVar[int]
    RESAMPLE_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    perturbation_interval: int
    quantile_fraction: float
    resample_probability: float
    def __init__(self, perturbation_interval: _Optional[int] = ..., quantile_fraction: _Optional[float] = ..., resample_probability: _Optional[float] = ...) -> None: ...

class TuneConfig(_message.Message):
    __slots__ = ("metric", "metric_source", "larger_is_better", "num_trials", "max_concurrent_trials", "asha", "pbt", "parameters", "seed")
    class MetricSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        EVALUATION: _ClassVar[TuneConfig.MetricSource]
        TRAINING: _ClassVar[TuneConfig.MetricSource]
    EVALUATION: TuneConfig.MetricSource
    TRAINING: TuneConfig.MetricSource
    METRIC_FIELD_NUMBER: _ClassVar[int]
    METRIC_SOURCE_FIELD_NUMBER: _ClassVar[int]
    LARGER_IS_BETTER_FIELD_NUMBER: _ClassVar[int]
    NUM_TRIALS_FIELD_NUMBER: _ClassVar[int]
    MAX_CONCURRENT_TRIALS_FIELD_NUMBER: _ClassVar[int]
    ASHA_FIELD_NUMBER: _ClassVar[int]
    PBT_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    metric: str
    metric_source: TuneConfig.MetricSource
    larger_is_better: bool
    num_trials: int
    max_concurrent_trials: int
    asha: AshaConfig
    pbt: PbtConfig
    parameters: _containers.RepeatedCompositeFieldContainer[TuneParameter]
    seed: int
    def __init__(self, metric: _Optional[str] = ..., metric_source: _Optional[_Union[TuneConfig.MetricSource, str]] = ..., larger_is_better: bool = ..., num_trials: _Optional[int] = ..., max_concurrent_trials: _Optional[int] = ..., asha: _Optional[_Union[AshaConfig, _Mapping]] = ..., pbt: _Optional[_Union[PbtConfig, _Mapping]] = ..., parameters: _Optional[_Iterable[_Union[TuneParameter, _Mapping]]] = ..., seed: _Optional[int] = ...) -> None: ...
