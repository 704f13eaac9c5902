"""Workers with a GPU each: NCCL for tensors on it, gloo for those on the host."""

from __future__ import annotations

from typing import Any

import ray.train.torch
from ray.train.torch import TorchConfig

BACKEND = "cpu:gloo,cuda:nccl"
"""The process group of all workers: which of the two carries a tensor depends on where it is."""


class GpuConfig(TorchConfig):
    """The process group of workers with GPUs, which are looked at before it is made.

    Of a GPU that is missing, or that two workers have, NCCL says nothing that helps, or waits.
    """

    def __init__(self) -> None:
        super().__init__(backend=BACKEND)

    @property
    def backend_cls(self) -> Any:
        """The class of Ray that makes the group, with a look at the GPUs before it."""
        base: Any = super().backend_cls

        def on_start(self: Any, worker_group: Any, backend_config: TorchConfig) -> None:
            from raymon.training.rank.devices import check_found

            check_found(worker_group.execute(_find))
            base.on_start(self, worker_group, backend_config)

        return type("GpuBackend", (base,), {"on_start": on_start})


def _find() -> Any:
    from raymon.training.rank.devices import find_gpu

    return find_gpu(ray.train.torch.get_device, ray.train.get_context().get_world_rank())
