from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class EvalConfig(_message.Message):
    __slots__ = ("num_steps", "log_step_count_steps")
    NUM_STEPS_FIELD_NUMBER: _ClassVar[int]
    LOG_STEP_COUNT_STEPS_FIELD_NUMBER: _ClassVar[int]
    num_steps: int
    log_step_count_steps: int
    def __init__(self, num_steps: _Optional[int] = ..., log_step_count_steps: _Optional[int] = ...) -> None: ...
