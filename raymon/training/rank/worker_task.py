"""The task of a worker, in a form that can be sent to it."""

from __future__ import annotations

from dataclasses import dataclass

from raymon.protos.pipeline_pb2 import PipelineConfig


@dataclass(frozen=True)
class WorkerTask:
    """A pipeline config with absolute paths, and the checkpoint to evaluate, if any.

    Attributes:
        serialized_config: The `PipelineConfig`, as bytes.
        checkpoint: Path of a checkpoint to evaluate; None to train.
    """

    serialized_config: bytes
    checkpoint: str | None = None

    @property
    def config(self) -> PipelineConfig:
        """The config."""
        return PipelineConfig.FromString(self.serialized_config)
