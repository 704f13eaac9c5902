from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Auc(_message.Message):
    __slots__ = ("thresholds",)
    THRESHOLDS_FIELD_NUMBER: _ClassVar[int]
    thresholds: int
    def __init__(self, thresholds: _Optional[int] = ...) -> None: ...

class MulticlassAuc(_message.Message):
    __slots__ = ("thresholds", "average")
    THRESHOLDS_FIELD_NUMBER: _ClassVar[int]
    AVERAGE_FIELD_NUMBER: _ClassVar[int]
    thresholds: int
    average: str
    def __init__(self, thresholds: _Optional[int] = ..., average: _Optional[str] = ...) -> None: ...

class RecallAtK(_message.Message):
    __slots__ = ("top_k",)
    TOP_K_FIELD_NUMBER: _ClassVar[int]
    top_k: int
    def __init__(self, top_k: _Optional[int] = ...) -> None: ...

class MeanAbsoluteError(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MeanSquaredError(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Accuracy(_message.Message):
    __slots__ = ("threshold", "top_k")
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    TOP_K_FIELD_NUMBER: _ClassVar[int]
    threshold: float
    top_k: int
    def __init__(self, threshold: _Optional[float] = ..., top_k: _Optional[int] = ...) -> None: ...

class GroupedAuc(_message.Message):
    __slots__ = ("grouping_key",)
    GROUPING_KEY_FIELD_NUMBER: _ClassVar[int]
    grouping_key: str
    def __init__(self, grouping_key: _Optional[str] = ...) -> None: ...

class NormalizedEntropy(_message.Message):
    __slots__ = ("eta",)
    ETA_FIELD_NUMBER: _ClassVar[int]
    eta: float
    def __init__(self, eta: _Optional[float] = ...) -> None: ...

class Xauc(_message.Message):
    __slots__ = ("sample_ratio", "max_pairs", "in_batch")
    SAMPLE_RATIO_FIELD_NUMBER: _ClassVar[int]
    MAX_PAIRS_FIELD_NUMBER: _ClassVar[int]
    IN_BATCH_FIELD_NUMBER: _ClassVar[int]
    sample_ratio: float
    max_pairs: int
    in_batch: bool
    def __init__(self, sample_ratio: _Optional[float] = ..., max_pairs: _Optional[int] = ..., in_batch: bool = ...) -> None: ...

class GroupedXauc(_message.Message):
    __slots__ = ("grouping_key", "max_pairs_per_group")
    GROUPING_KEY_FIELD_NUMBER: _ClassVar[int]
    MAX_PAIRS_PER_GROUP_FIELD_NUMBER: _ClassVar[int]
    grouping_key: str
    max_pairs_per_group: int
    def __init__(self, grouping_key: _Optional[str] = ..., max_pairs_per_group: _Optional[int] = ...) -> None: ...

class Calibration(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PrAuc(_message.Message):
    __slots__ = ("thresholds",)
    THRESHOLDS_FIELD_NUMBER: _ClassVar[int]
    thresholds: int
    def __init__(self, thresholds: _Optional[int] = ...) -> None: ...

class LogLoss(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class NdcgAtK(_message.Message):
    __slots__ = ("grouping_key", "top_k")
    GROUPING_KEY_FIELD_NUMBER: _ClassVar[int]
    TOP_K_FIELD_NUMBER: _ClassVar[int]
    grouping_key: str
    top_k: int
    def __init__(self, grouping_key: _Optional[str] = ..., top_k: _Optional[int] = ...) -> None: ...

class HitRateAtK(_message.Message):
    __slots__ = ("grouping_key", "top_k")
    GROUPING_KEY_FIELD_NUMBER: _ClassVar[int]
    TOP_K_FIELD_NUMBER: _ClassVar[int]
    grouping_key: str
    top_k: int
    def __init__(self, grouping_key: _Optional[str] = ..., top_k: _Optional[int] = ...) -> None: ...

class Mrr(_message.Message):
    __slots__ = ("grouping_key", "top_k")
    GROUPING_KEY_FIELD_NUMBER: _ClassVar[int]
    TOP_K_FIELD_NUMBER: _ClassVar[int]
    grouping_key: str
    top_k: int
    def __init__(self, grouping_key: _Optional[str] = ..., top_k: _Optional[int] = ...) -> None: ...

class Map(_message.Message):
    __slots__ = ("grouping_key", "top_k")
    GROUPING_KEY_FIELD_NUMBER: _ClassVar[int]
    TOP_K_FIELD_NUMBER: _ClassVar[int]
    grouping_key: str
    top_k: int
    def __init__(self, grouping_key: _Optional[str] = ..., top_k: _Optional[int] = ...) -> None: ...

class CustomMetric(_message.Message):
    __slots__ = ("name", "kwargs")
    class KwargsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    KWARGS_FIELD_NUMBER: _ClassVar[int]
    name: str
    kwargs: _containers.ScalarMap[str, str]
    def __init__(self, name: _Optional[str] = ..., kwargs: _Optional[_Mapping[str, str]] = ...) -> None: ...

class MetricConfig(_message.Message):
    __slots__ = ("auc", "multiclass_auc", "recall_at_k", "mean_absolute_error", "mean_squared_error", "accuracy", "grouped_auc", "normalized_entropy", "xauc", "grouped_xauc", "calibration", "pr_auc", "log_loss", "ndcg_at_k", "custom_metric", "hit_rate_at_k", "mrr", "map", "label_name", "name")
    AUC_FIELD_NUMBER: _ClassVar[int]
    MULTICLASS_AUC_FIELD_NUMBER: _ClassVar[int]
    RECALL_AT_K_FIELD_NUMBER: _ClassVar[int]
    MEAN_ABSOLUTE_ERROR_FIELD_NUMBER: _ClassVar[int]
    MEAN_SQUARED_ERROR_FIELD_NUMBER: _ClassVar[int]
    ACCURACY_FIELD_NUMBER: _ClassVar[int]
    GROUPED_AUC_FIELD_NUMBER: _ClassVar[int]
    NORMALIZED_ENTROPY_FIELD_NUMBER: _ClassVar[int]
    XAUC_FIELD_NUMBER: _ClassVar[int]
    GROUPED_XAUC_FIELD_NUMBER: _ClassVar[int]
    CALIBRATION_FIELD_NUMBER: _ClassVar[int]
    PR_AUC_FIELD_NUMBER: _ClassVar[int]
    LOG_LOSS_FIELD_NUMBER: _ClassVar[int]
    NDCG_AT_K_FIELD_NUMBER: _ClassVar[int]
    CUSTOM_METRIC_FIELD_NUMBER: _ClassVar[int]
    HIT_RATE_AT_K_FIELD_NUMBER: _ClassVar[int]
    MRR_FIELD_NUMBER: _ClassVar[int]
    MAP_FIELD_NUMBER: _ClassVar[int]
    LABEL_NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    auc: Auc
    multiclass_auc: MulticlassAuc
    recall_at_k: RecallAtK
    mean_absolute_error: MeanAbsoluteError
    mean_squared_error: MeanSquaredError
    accuracy: Accuracy
    grouped_auc: GroupedAuc
    normalized_entropy: NormalizedEntropy
    xauc: Xauc
    grouped_xauc: GroupedXauc
    calibration: Calibration
    pr_auc: PrAuc
    log_loss: LogLoss
    ndcg_at_k: NdcgAtK
    custom_metric: CustomMetric
    hit_rate_at_k: HitRateAtK
    mrr: Mrr
    map: Map
    label_name: str
    name: str
    def __init__(self, auc: _Optional[_Union[Auc, _Mapping]] = ..., multiclass_auc: _Optional[_Union[MulticlassAuc, _Mapping]] = ..., recall_at_k: _Optional[_Union[RecallAtK, _Mapping]] = ..., mean_absolute_error: _Optional[_Union[MeanAbsoluteError, _Mapping]] = ..., mean_squared_error: _Optional[_Union[MeanSquaredError, _Mapping]] = ..., accuracy: _Optional[_Union[Accuracy, _Mapping]] = ..., grouped_auc: _Optional[_Union[GroupedAuc, _Mapping]] = ..., normalized_entropy: _Optional[_Union[NormalizedEntropy, _Mapping]] = ..., xauc: _Optional[_Union[Xauc, _Mapping]] = ..., grouped_xauc: _Optional[_Union[GroupedXauc, _Mapping]] = ..., calibration: _Optional[_Union[Calibration, _Mapping]] = ..., pr_auc: _Optional[_Union[PrAuc, _Mapping]] = ..., log_loss: _Optional[_Union[LogLoss, _Mapping]] = ..., ndcg_at_k: _Optional[_Union[NdcgAtK, _Mapping]] = ..., custom_metric: _Optional[_Union[CustomMetric, _Mapping]] = ..., hit_rate_at_k: _Optional[_Union[HitRateAtK, _Mapping]] = ..., mrr: _Optional[_Union[Mrr, _Mapping]] = ..., map: _Optional[_Union[Map, _Mapping]] = ..., label_name: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class TrainMetricConfig(_message.Message):
    __slots__ = ("auc", "multiclass_auc", "recall_at_k", "mean_absolute_error", "mean_squared_error", "accuracy", "normalized_entropy", "xauc", "calibration", "pr_auc", "log_loss", "custom_metric", "label_name", "name", "decay_rate", "decay_step")
    AUC_FIELD_NUMBER: _ClassVar[int]
    MULTICLASS_AUC_FIELD_NUMBER: _ClassVar[int]
    RECALL_AT_K_FIELD_NUMBER: _ClassVar[int]
    MEAN_ABSOLUTE_ERROR_FIELD_NUMBER: _ClassVar[int]
    MEAN_SQUARED_ERROR_FIELD_NUMBER: _ClassVar[int]
    ACCURACY_FIELD_NUMBER: _ClassVar[int]
    NORMALIZED_ENTROPY_FIELD_NUMBER: _ClassVar[int]
    XAUC_FIELD_NUMBER: _ClassVar[int]
    CALIBRATION_FIELD_NUMBER: _ClassVar[int]
    PR_AUC_FIELD_NUMBER: _ClassVar[int]
    LOG_LOSS_FIELD_NUMBER: _ClassVar[int]
    CUSTOM_METRIC_FIELD_NUMBER: _ClassVar[int]
    LABEL_NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DECAY_RATE_FIELD_NUMBER: _ClassVar[int]
    DECAY_STEP_FIELD_NUMBER: _ClassVar[int]
    auc: Auc
    multiclass_auc: MulticlassAuc
    recall_at_k: RecallAtK
    mean_absolute_error: MeanAbsoluteError
    mean_squared_error: MeanSquaredError
    accuracy: Accuracy
    normalized_entropy: NormalizedEntropy
    xauc: Xauc
    calibration: Calibration
    pr_auc: PrAuc
    log_loss: LogLoss
    custom_metric: CustomMetric
    label_name: str
    name: str
    decay_rate: float
    decay_step: int
    def __init__(self, auc: _Optional[_Union[Auc, _Mapping]] = ..., multiclass_auc: _Optional[_Union[MulticlassAuc, _Mapping]] = ..., recall_at_k: _Optional[_Union[RecallAtK, _Mapping]] = ..., mean_absolute_error: _Optional[_Union[MeanAbsoluteError, _Mapping]] = ..., mean_squared_error: _Optional[_Union[MeanSquaredError, _Mapping]] = ..., accuracy: _Optional[_Union[Accuracy, _Mapping]] = ..., normalized_entropy: _Optional[_Union[NormalizedEntropy, _Mapping]] = ..., xauc: _Optional[_Union[Xauc, _Mapping]] = ..., calibration: _Optional[_Union[Calibration, _Mapping]] = ..., pr_auc: _Optional[_Union[PrAuc, _Mapping]] = ..., log_loss: _Optional[_Union[LogLoss, _Mapping]] = ..., custom_metric: _Optional[_Union[CustomMetric, _Mapping]] = ..., label_name: _Optional[str] = ..., name: _Optional[str] = ..., decay_rate: _Optional[float] = ..., decay_step: _Optional[int] = ...) -> None: ...
