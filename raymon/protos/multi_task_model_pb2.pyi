from raymon.protos import layers_pb2 as _layers_pb2
from raymon.protos import task_pb2 as _task_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SimpleMultiTask(_message.Message):
    __slots__ = ("task_towers",)
    TASK_TOWERS_FIELD_NUMBER: _ClassVar[int]
    task_towers: _containers.RepeatedCompositeFieldContainer[_task_pb2.TaskTower]
    def __init__(self, task_towers: _Optional[_Iterable[_Union[_task_pb2.TaskTower, _Mapping]]] = ...) -> None: ...

class MMoE(_message.Message):
    __slots__ = ("expert_mlp", "gate_mlp", "num_expert", "task_towers")
    EXPERT_MLP_FIELD_NUMBER: _ClassVar[int]
    GATE_MLP_FIELD_NUMBER: _ClassVar[int]
    NUM_EXPERT_FIELD_NUMBER: _ClassVar[int]
    TASK_TOWERS_FIELD_NUMBER: _ClassVar[int]
    expert_mlp: _layers_pb2.MLP
    gate_mlp: _layers_pb2.MLP
    num_expert: int
    task_towers: _containers.RepeatedCompositeFieldContainer[_task_pb2.TaskTower]
    def __init__(self, expert_mlp: _Optional[_Union[_layers_pb2.MLP, _Mapping]] = ..., gate_mlp: _Optional[_Union[_layers_pb2.MLP, _Mapping]] = ..., num_expert: _Optional[int] = ..., task_towers: _Optional[_Iterable[_Union[_task_pb2.TaskTower, _Mapping]]] = ...) -> None: ...
