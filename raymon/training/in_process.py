"""A run in this process: its one rank, and the datasets as it reads them."""

from __future__ import annotations

import torch

from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.training.input.datasets import Datasets, is_ray_dataset, reads_files_by_ray
from raymon.training.rank.run_controller import LocalController
from raymon.training.rank.worker_context import WorkerContext


def in_process_context(config: PipelineConfig) -> WorkerContext:
    """The world of a run in this process: one rank."""
    device = torch.device("cuda" if config.ray_config.use_gpu else "cpu")
    return WorkerContext(0, 1, device, LocalController())


def datasets_in_process(
    datasets: Datasets, config: PipelineConfig, address: str | None, *, trains: bool = True
) -> Datasets:
    """The datasets as a worker in this process reads them.

    Args:
        datasets: Of the run.
        config: Of the run.
        address: Of the Ray cluster where `ray.data` reads them.
        trains: False where the training files are not read.
    """
    files = trains and reads_files_by_ray(datasets, config)
    if not files and not any(map(is_ray_dataset, datasets.values())):
        return datasets
    from raymon.training.on_ray.cluster import connect

    connect(address)
    from raymon.training.on_ray.datasets import in_process, with_files_of_config

    return in_process(with_files_of_config(datasets, config) if files else datasets, config)
