from raymon.protos import layers_pb2 as _layers_pb2
from raymon.protos import loss_pb2 as _loss_pb2
from raymon.protos import match_model_pb2 as _match_model_pb2
from raymon.protos import metric_pb2 as _metric_pb2
from raymon.protos import multi_task_model_pb2 as _multi_task_model_pb2
from raymon.protos import rank_model_pb2 as _rank_model_pb2
from raymon.protos import sequence_pb2 as _sequence_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FeatureGroupType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DEEP: _ClassVar[FeatureGroupType]
    WIDE: _ClassVar[FeatureGroupType]
    SEQUENCE: _ClassVar[FeatureGroupType]
    JAGGED_SEQUENCE: _ClassVar[FeatureGroupType]
DEEP: FeatureGroupType
WIDE: FeatureGroupType
SEQUENCE: FeatureGroupType
JAGGED_SEQUENCE: FeatureGroupType

class FeatureGroup(_message.Message):
    __slots__ = ("group_name", "feature_names", "embedding_name_suffix", "group_type", "sequence_groups", "sequence_encoders")
    GROUP_NAME_FIELD_NUMBER: _ClassVar[int]
    FEATURE_NAMES_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_NAME_SUFFIX_FIELD_NUMBER: _ClassVar[int]
    GROUP_TYPE_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_GROUPS_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_ENCODERS_FIELD_NUMBER: _ClassVar[int]
    group_name: str
    feature_names: _containers.RepeatedScalarFieldContainer[str]
    embedding_name_suffix: str
    group_type: FeatureGroupType
    sequence_groups: _containers.RepeatedCompositeFieldContainer[_sequence_pb2.SeqGroupConfig]
    sequence_encoders: _containers.RepeatedCompositeFieldContainer[_sequence_pb2.SeqEncoderConfig]
    def __init__(self, group_name: _Optional[str] = ..., feature_names: _Optional[_Iterable[str]] = ..., embedding_name_suffix: _Optional[str] = ..., group_type: _Optional[_Union[FeatureGroupType, str]] = ..., sequence_groups: _Optional[_Iterable[_Union[_sequence_pb2.SeqGroupConfig, _Mapping]]] = ..., sequence_encoders: _Optional[_Iterable[_Union[_sequence_pb2.SeqEncoderConfig, _Mapping]]] = ...) -> None: ...

class DLRM(_message.Message):
    __slots__ = ("dense_mlp", "arch_with_sparse", "final")
    DENSE_MLP_FIELD_NUMBER: _ClassVar[int]
    ARCH_WITH_SPARSE_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    dense_mlp: _layers_pb2.MLP
    arch_with_sparse: bool
    final: _layers_pb2.MLP
    def __init__(self, dense_mlp: _Optional[_Union[_layers_pb2.MLP, _Mapping]] = ..., arch_with_sparse: bool = ..., final: _Optional[_Union[_layers_pb2.MLP, _Mapping]] = ...) -> None: ...

class DeepFM(_message.Message):
    __slots__ = ("deep", "final", "wide_embedding_dim", "wide_init_fn")
    DEEP_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    WIDE_EMBEDDING_DIM_FIELD_NUMBER: _ClassVar[int]
    WIDE_INIT_FN_FIELD_NUMBER: _ClassVar[int]
    deep: _layers_pb2.MLP
    final: _layers_pb2.MLP
    wide_embedding_dim: int
    wide_init_fn: str
    def __init__(self, deep: _Optional[_Union[_layers_pb2.MLP, _Mapping]] = ..., final: _Optional[_Union[_layers_pb2.MLP, _Mapping]] = ..., wide_embedding_dim: _Optional[int] = ..., wide_init_fn: _Optional[str] = ...) -> None: ...

class CustomModel(_message.Message):
    __slots__ = ("class_path", "kwargs")
    class KwargsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    CLASS_PATH_FIELD_NUMBER: _ClassVar[int]
    KWARGS_FIELD_NUMBER: _ClassVar[int]
    class_path: str
    kwargs: _containers.ScalarMap[str, str]
    def __init__(self, class_path: _Optional[str] = ..., kwargs: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ModelConfig(_message.Message):
    __slots__ = ("feature_groups", "dlrm", "deepfm", "custom", "wide_and_deep", "dcn_v1", "dcn_v2", "xdeepfm", "mask_net", "wukong", "rocket_launching", "simple_multi_task", "mmoe", "ple", "dbmtl", "pepnet", "dssm", "dssm_v2", "dat", "mind", "multi_tower", "multi_tower_din", "num_class", "losses", "metrics", "train_metrics", "use_pareto_loss_weight", "variational_dropout")
    FEATURE_GROUPS_FIELD_NUMBER: _ClassVar[int]
    DLRM_FIELD_NUMBER: _ClassVar[int]
    DEEPFM_FIELD_NUMBER: _ClassVar[int]
    CUSTOM_FIELD_NUMBER: _ClassVar[int]
    WIDE_AND_DEEP_FIELD_NUMBER: _ClassVar[int]
    DCN_V1_FIELD_NUMBER: _ClassVar[int]
    DCN_V2_FIELD_NUMBER: _ClassVar[int]
    XDEEPFM_FIELD_NUMBER: _ClassVar[int]
    MASK_NET_FIELD_NUMBER: _ClassVar[int]
    WUKONG_FIELD_NUMBER: _ClassVar[int]
    ROCKET_LAUNCHING_FIELD_NUMBER: _ClassVar[int]
    SIMPLE_MULTI_TASK_FIELD_NUMBER: _ClassVar[int]
    MMOE_FIELD_NUMBER: _ClassVar[int]
    PLE_FIELD_NUMBER: _ClassVar[int]
    DBMTL_FIELD_NUMBER: _ClassVar[int]
    PEPNET_FIELD_NUMBER: _ClassVar[int]
    DSSM_FIELD_NUMBER: _ClassVar[int]
    DSSM_V2_FIELD_NUMBER: _ClassVar[int]
    DAT_FIELD_NUMBER: _ClassVar[int]
    MIND_FIELD_NUMBER: _ClassVar[int]
    MULTI_TOWER_FIELD_NUMBER: _ClassVar[int]
    MULTI_TOWER_DIN_FIELD_NUMBER: _ClassVar[int]
    NUM_CLASS_FIELD_NUMBER: _ClassVar[int]
    LOSSES_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    TRAIN_METRICS_FIELD_NUMBER: _ClassVar[int]
    USE_PARETO_LOSS_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    VARIATIONAL_DROPOUT_FIELD_NUMBER: _ClassVar[int]
    feature_groups: _containers.RepeatedCompositeFieldContainer[FeatureGroup]
    dlrm: DLRM
    deepfm: DeepFM
    custom: CustomModel
    wide_and_deep: _rank_model_pb2.WideAndDeep
    dcn_v1: _rank_model_pb2.DCNV1
    dcn_v2: _rank_model_pb2.DCNV2
    xdeepfm: _rank_model_pb2.xDeepFM
    mask_net: _rank_model_pb2.MaskNet
    wukong: _rank_model_pb2.WuKong
    rocket_launching: _rank_model_pb2.RocketLaunching
    simple_multi_task: _multi_task_model_pb2.SimpleMultiTask
    mmoe: _multi_task_model_pb2.MMoE
    ple: _multi_task_model_pb2.PLE
    dbmtl: _multi_task_model_pb2.DBMTL
    pepnet: _multi_task_model_pb2.PEPNet
    dssm: _match_model_pb2.DSSM
    dssm_v2: _match_model_pb2.DSSM
    dat: _match_model_pb2.DAT
    mind: _match_model_pb2.MIND
    multi_tower: _sequence_pb2.MultiTower
    multi_tower_din: _sequence_pb2.MultiTowerDIN
    num_class: int
    losses: _containers.RepeatedCompositeFieldContainer[_loss_pb2.LossConfig]
    metrics: _containers.RepeatedCompositeFieldContainer[_metric_pb2.MetricConfig]
    train_metrics: _containers.RepeatedCompositeFieldContainer[_metric_pb2.TrainMetricConfig]
    use_pareto_loss_weight: bool
    variational_dropout: _layers_pb2.VariationalDropout
    def __init__(self, feature_groups: _Optional[_Iterable[_Union[FeatureGroup, _Mapping]]] = ..., dlrm: _Optional[_Union[DLRM, _Mapping]] = ..., deepfm: _Optional[_Union[DeepFM, _Mapping]] = ..., custom: _Optional[_Union[CustomModel, _Mapping]] = ..., wide_and_deep: _Optional[_Union[_rank_model_pb2.WideAndDeep, _Mapping]] = ..., dcn_v1: _Optional[_Union[_rank_model_pb2.DCNV1, _Mapping]] = ..., dcn_v2: _Optional[_Union[_rank_model_pb2.DCNV2, _Mapping]] = ..., xdeepfm: _Optional[_Union[_rank_model_pb2.xDeepFM, _Mapping]] = ..., mask_net: _Optional[_Union[_rank_model_pb2.MaskNet, _Mapping]] = ..., wukong: _Optional[_Union[_rank_model_pb2.WuKong, _Mapping]] = ..., rocket_launching: _Optional[_Union[_rank_model_pb2.RocketLaunching, _Mapping]] = ..., simple_multi_task: _Optional[_Union[_multi_task_model_pb2.SimpleMultiTask, _Mapping]] = ..., mmoe: _Optional[_Union[_multi_task_model_pb2.MMoE, _Mapping]] = ..., ple: _Optional[_Union[_multi_task_model_pb2.PLE, _Mapping]] = ..., dbmtl: _Optional[_Union[_multi_task_model_pb2.DBMTL, _Mapping]] = ..., pepnet: _Optional[_Union[_multi_task_model_pb2.PEPNet, _Mapping]] = ..., dssm: _Optional[_Union[_match_model_pb2.DSSM, _Mapping]] = ..., dssm_v2: _Optional[_Union[_match_model_pb2.DSSM, _Mapping]] = ..., dat: _Optional[_Union[_match_model_pb2.DAT, _Mapping]] = ..., mind: _Optional[_Union[_match_model_pb2.MIND, _Mapping]] = ..., multi_tower: _Optional[_Union[_sequence_pb2.MultiTower, _Mapping]] = ..., multi_tower_din: _Optional[_Union[_sequence_pb2.MultiTowerDIN, _Mapping]] = ..., num_class: _Optional[int] = ..., losses: _Optional[_Iterable[_Union[_loss_pb2.LossConfig, _Mapping]]] = ..., metrics: _Optional[_Iterable[_Union[_metric_pb2.MetricConfig, _Mapping]]] = ..., train_metrics: _Optional[_Iterable[_Union[_metric_pb2.TrainMetricConfig, _Mapping]]] = ..., use_pareto_loss_weight: bool = ..., variational_dropout: _Optional[_Union[_layers_pb2.VariationalDropout, _Mapping]] = ...) -> None: ...
