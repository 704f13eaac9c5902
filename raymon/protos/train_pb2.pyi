from raymon.protos import feature_pb2 as _feature_pb2
from raymon.protos import optimizer_pb2 as _optimizer_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EmbeddingTables(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AUTO: _ClassVar[EmbeddingTables]
    REPLICATED: _ClassVar[EmbeddingTables]
    SHARDED: _ClassVar[EmbeddingTables]

class OnUnfinishedSave(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WAIT: _ClassVar[OnUnfinishedSave]
    LEAVE_OUT: _ClassVar[OnUnfinishedSave]

class OnNonfinite(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WARN: _ClassVar[OnNonfinite]
    SKIP_STEP: _ClassVar[OnNonfinite]
    STOP: _ClassVar[OnNonfinite]
AUTO: EmbeddingTables
REPLICATED: EmbeddingTables
SHARDED: EmbeddingTables
WAIT: OnUnfinishedSave
LEAVE_OUT: OnUnfinishedSave
WARN: OnNonfinite
SKIP_STEP: OnNonfinite
STOP: OnNonfinite

class GradScalerConfig(_message.Message):
    __slots__ = ("init_scale", "growth_factor", "backoff_factor", "growth_interval")
    INIT_SCALE_FIELD_NUMBER: _ClassVar[int]
    GROWTH_FACTOR_FIELD_NUMBER: _ClassVar[int]
    BACKOFF_FACTOR_FIELD_NUMBER: _ClassVar[int]
    GROWTH_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    init_scale: float
    growth_factor: float
    backoff_factor: float
    growth_interval: int
    def __init__(self, init_scale: _Optional[float] = ..., growth_factor: _Optional[float] = ..., backoff_factor: _Optional[float] = ..., growth_interval: _Optional[int] = ...) -> None: ...

class GradClippingConfig(_message.Message):
    __slots__ = ("clipping_type", "max_gradient", "norm_type", "enable_global_grad_clip")
    CLIPPING_TYPE_FIELD_NUMBER: _ClassVar[int]
    MAX_GRADIENT_FIELD_NUMBER: _ClassVar[int]
    NORM_TYPE_FIELD_NUMBER: _ClassVar[int]
    ENABLE_GLOBAL_GRAD_CLIP_FIELD_NUMBER: _ClassVar[int]
    clipping_type: str
    max_gradient: float
    norm_type: float
    enable_global_grad_clip: bool
    def __init__(self, clipping_type: _Optional[str] = ..., max_gradient: _Optional[float] = ..., norm_type: _Optional[float] = ..., enable_global_grad_clip: bool = ...) -> None: ...

class EarlyStoppingConfig(_message.Message):
    __slots__ = ("metric", "larger_is_better", "patience", "min_delta")
    METRIC_FIELD_NUMBER: _ClassVar[int]
    LARGER_IS_BETTER_FIELD_NUMBER: _ClassVar[int]
    PATIENCE_FIELD_NUMBER: _ClassVar[int]
    MIN_DELTA_FIELD_NUMBER: _ClassVar[int]
    metric: str
    larger_is_better: bool
    patience: int
    min_delta: float
    def __init__(self, metric: _Optional[str] = ..., larger_is_better: bool = ..., patience: _Optional[int] = ..., min_delta: _Optional[float] = ...) -> None: ...

class TrainConfig(_message.Message):
    __slots__ = ("sparse_optimizer", "dense_optimizer", "num_steps", "num_epochs", "save_checkpoints_steps", "save_checkpoints_epochs", "log_step_count_steps", "is_profiling", "use_tensorboard", "tensorboard_summaries", "cudnn_allow_tf32", "cuda_matmul_allow_tf32", "mixed_precision", "grad_scaler", "gradient_accumulation_steps", "grad_clipping", "keep_checkpoint_max", "seed", "on_unfinished_save", "fine_tune_checkpoint", "fine_tune_ckpt_param_map", "ignore_restore_optimizer", "early_stopping", "embedding_tables", "global_embedding_constraints", "compile", "on_nonfinite", "find_nonfinite")
    SPARSE_OPTIMIZER_FIELD_NUMBER: _ClassVar[int]
    DENSE_OPTIMIZER_FIELD_NUMBER: _ClassVar[int]
    NUM_STEPS_FIELD_NUMBER: _ClassVar[int]
    NUM_EPOCHS_FIELD_NUMBER: _ClassVar[int]
    SAVE_CHECKPOINTS_STEPS_FIELD_NUMBER: _ClassVar[int]
    SAVE_CHECKPOINTS_EPOCHS_FIELD_NUMBER: _ClassVar[int]
    LOG_STEP_COUNT_STEPS_FIELD_NUMBER: _ClassVar[int]
    IS_PROFILING_FIELD_NUMBER: _ClassVar[int]
    USE_TENSORBOARD_FIELD_NUMBER: _ClassVar[int]
    TENSORBOARD_SUMMARIES_FIELD_NUMBER: _ClassVar[int]
    CUDNN_ALLOW_TF32_FIELD_NUMBER: _ClassVar[int]
    CUDA_MATMUL_ALLOW_TF32_FIELD_NUMBER: _ClassVar[int]
    MIXED_PRECISION_FIELD_NUMBER: _ClassVar[int]
    GRAD_SCALER_FIELD_NUMBER: _ClassVar[int]
    GRADIENT_ACCUMULATION_STEPS_FIELD_NUMBER: _ClassVar[int]
    GRAD_CLIPPING_FIELD_NUMBER: _ClassVar[int]
    KEEP_CHECKPOINT_MAX_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    ON_UNFINISHED_SAVE_FIELD_NUMBER: _ClassVar[int]
    FINE_TUNE_CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    FINE_TUNE_CKPT_PARAM_MAP_FIELD_NUMBER: _ClassVar[int]
    IGNORE_RESTORE_OPTIMIZER_FIELD_NUMBER: _ClassVar[int]
    EARLY_STOPPING_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_TABLES_FIELD_NUMBER: _ClassVar[int]
    GLOBAL_EMBEDDING_CONSTRAINTS_FIELD_NUMBER: _ClassVar[int]
    COMPILE_FIELD_NUMBER: _ClassVar[int]
    ON_NONFINITE_FIELD_NUMBER: _ClassVar[int]
    FIND_NONFINITE_FIELD_NUMBER: _ClassVar[int]
    sparse_optimizer: _optimizer_pb2.SparseOptimizer
    dense_optimizer: _optimizer_pb2.DenseOptimizer
    num_steps: int
    num_epochs: int
    save_checkpoints_steps: int
    save_checkpoints_epochs: int
    log_step_count_steps: int
    is_profiling: bool
    use_tensorboard: bool
    tensorboard_summaries: _containers.RepeatedScalarFieldContainer[str]
    cudnn_allow_tf32: bool
    cuda_matmul_allow_tf32: bool
    mixed_precision: str
    grad_scaler: GradScalerConfig
    gradient_accumulation_steps: int
    grad_clipping: GradClippingConfig
    keep_checkpoint_max: int
    seed: int
    on_unfinished_save: OnUnfinishedSave
    fine_tune_checkpoint: str
    fine_tune_ckpt_param_map: str
    ignore_restore_optimizer: bool
    early_stopping: EarlyStoppingConfig
    embedding_tables: EmbeddingTables
    global_embedding_constraints: _feature_pb2.ParameterConstraints
    compile: bool
    on_nonfinite: OnNonfinite
    find_nonfinite: bool
    def __init__(self, sparse_optimizer: _Optional[_Union[_optimizer_pb2.SparseOptimizer, _Mapping]] = ..., dense_optimizer: _Optional[_Union[_optimizer_pb2.DenseOptimizer, _Mapping]] = ..., num_steps: _Optional[int] = ..., num_epochs: _Optional[int] = ..., save_checkpoints_steps: _Optional[int] = ..., save_checkpoints_epochs: _Optional[int] = ..., log_step_count_steps: _Optional[int] = ..., is_profiling: bool = ..., use_tensorboard: bool = ..., tensorboard_summaries: _Optional[_Iterable[str]] = ..., cudnn_allow_tf32: bool = ..., cuda_matmul_allow_tf32: bool = ..., mixed_precision: _Optional[str] = ..., grad_scaler: _Optional[_Union[GradScalerConfig, _Mapping]] = ..., gradient_accumulation_steps: _Optional[int] = ..., grad_clipping: _Optional[_Union[GradClippingConfig, _Mapping]] = ..., keep_checkpoint_max: _Optional[int] = ..., seed: _Optional[int] = ..., on_unfinished_save: _Optional[_Union[OnUnfinishedSave, str]] = ..., fine_tune_checkpoint: _Optional[str] = ..., fine_tune_ckpt_param_map: _Optional[str] = ..., ignore_restore_optimizer: bool = ..., early_stopping: _Optional[_Union[EarlyStoppingConfig, _Mapping]] = ..., embedding_tables: _Optional[_Union[EmbeddingTables, str]] = ..., global_embedding_constraints: _Optional[_Union[_feature_pb2.ParameterConstraints, _Mapping]] = ..., compile: bool = ..., on_nonfinite: _Optional[_Union[OnNonfinite, str]] = ..., find_nonfinite: bool = ...) -> None: ...
