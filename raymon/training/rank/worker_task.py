"""What a worker is asked to do, in a form that travels to it."""

from __future__ import annotations

from dataclasses import dataclass

from raymon.protos.pipeline_pb2 import PipelineConfig


@dataclass(frozen=True)
class WorkerTask:
    """A pipeline config whose paths are absolute, and the checkpoint to evaluate, if any.

    Attributes:
        serialized_config: The `PipelineConfig`, as bytes.
        checkpoint: A checkpoint to evaluate; None where the task is to train.
    """

    serialized_config: bytes
    checkpoint: str | None = None

    @property
    def config(self) -> PipelineConfig:
        """The config."""
        return PipelineConfig.FromString(self.serialized_config)
