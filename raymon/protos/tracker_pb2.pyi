from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Tracker(_message.Message):
    __slots__ = ("mlflow", "wandb", "trackio", "custom")
    class LogCheckpoints(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        LINK: _ClassVar[Tracker.LogCheckpoints]
        ARTIFACT: _ClassVar[Tracker.LogCheckpoints]
        NONE: _ClassVar[Tracker.LogCheckpoints]
    LINK: Tracker.LogCheckpoints
    ARTIFACT: Tracker.LogCheckpoints
    NONE: Tracker.LogCheckpoints
    MLFLOW_FIELD_NUMBER: _ClassVar[int]
    WANDB_FIELD_NUMBER: _ClassVar[int]
    TRACKIO_FIELD_NUMBER: _ClassVar[int]
    CUSTOM_FIELD_NUMBER: _ClassVar[int]
    mlflow: MLflow
    wandb: WandB
    trackio: Trackio
    custom: CustomSink
    def __init__(self, mlflow: _Optional[_Union[MLflow, _Mapping]] = ..., wandb: _Optional[_Union[WandB, _Mapping]] = ..., trackio: _Optional[_Union[Trackio, _Mapping]] = ..., custom: _Optional[_Union[CustomSink, _Mapping]] = ...) -> None: ...

class MLflow(_message.Message):
    __slots__ = ("tracking_uri", "experiment_name", "run_name", "registered_model_name", "log_checkpoints", "tags")
    class TagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TRACKING_URI_FIELD_NUMBER: _ClassVar[int]
    EXPERIMENT_NAME_FIELD_NUMBER: _ClassVar[int]
    RUN_NAME_FIELD_NUMBER: _ClassVar[int]
    REGISTERED_MODEL_NAME_FIELD_NUMBER: _ClassVar[int]
    LOG_CHECKPOINTS_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    tracking_uri: str
    experiment_name: str
    run_name: str
    registered_model_name: str
    log_checkpoints: Tracker.LogCheckpoints
    tags: _containers.ScalarMap[str, str]
    def __init__(self, tracking_uri: _Optional[str] = ..., experiment_name: _Optional[str] = ..., run_name: _Optional[str] = ..., registered_model_name: _Optional[str] = ..., log_checkpoints: _Optional[_Union[Tracker.LogCheckpoints, str]] = ..., tags: _Optional[_Mapping[str, str]] = ...) -> None: ...

class WandB(_message.Message):
    __slots__ = ("project", "entity", "run_name", "group", "tags", "mode", "directory", "log_checkpoints")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    ENTITY_FIELD_NUMBER: _ClassVar[int]
    RUN_NAME_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    DIRECTORY_FIELD_NUMBER: _ClassVar[int]
    LOG_CHECKPOINTS_FIELD_NUMBER: _ClassVar[int]
    project: str
    entity: str
    run_name: str
    group: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    mode: str
    directory: str
    log_checkpoints: Tracker.LogCheckpoints
    def __init__(self, project: _Optional[str] = ..., entity: _Optional[str] = ..., run_name: _Optional[str] = ..., group: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., mode: _Optional[str] = ..., directory: _Optional[str] = ..., log_checkpoints: _Optional[_Union[Tracker.LogCheckpoints, str]] = ...) -> None: ...

class Trackio(_message.Message):
    __slots__ = ("project", "run_name", "group", "directory", "space_id", "server_url", "log_checkpoints")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    RUN_NAME_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    DIRECTORY_FIELD_NUMBER: _ClassVar[int]
    SPACE_ID_FIELD_NUMBER: _ClassVar[int]
    SERVER_URL_FIELD_NUMBER: _ClassVar[int]
    LOG_CHECKPOINTS_FIELD_NUMBER: _ClassVar[int]
    project: str
    run_name: str
    group: str
    directory: str
    space_id: str
    server_url: str
    log_checkpoints: Tracker.LogCheckpoints
    def __init__(self, project: _Optional[str] = ..., run_name: _Optional[str] = ..., group: _Optional[str] = ..., directory: _Optional[str] = ..., space_id: _Optional[str] = ..., server_url: _Optional[str] = ..., log_checkpoints: _Optional[_Union[Tracker.LogCheckpoints, str]] = ...) -> None: ...

class CustomSink(_message.Message):
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
