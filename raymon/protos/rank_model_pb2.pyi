from raymon.protos import layers_pb2 as _layers_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MaskNet(_message.Message):
    __slots__ = ("mask_net_module",)
    MASK_NET_MODULE_FIELD_NUMBER: _ClassVar[int]
    mask_net_module: _layers_pb2.MaskNetModule
    def __init__(self, mask_net_module: _Optional[_Union[_layers_pb2.MaskNetModule, _Mapping]] = ...) -> None: ...
