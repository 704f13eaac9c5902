"""A run in this process: its only rank, and its datasets."""

from __future__ import annotations

import torch

from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.training.input.datasets import Datasets, is_ray_dataset, reads_files_by_ray
from raymon.training.rank.run_controller import LocalController
from raymon.training.rank.worker_context import WorkerContext


def in_process_context(config: PipelineConfig) -> WorkerContext:
    """Returns the world of a run in this process: one rank."""
    device = torch.device("cpu")
    if config.ray_config.use_gpu:
        device = torch.device("cuda", torch.cuda.current_device())
    return WorkerContext(0, 1, device, LocalController())


def datasets_in_process(
    datasets: Datasets, config: PipelineConfig, address: str | None, *, trains: bool = True
) -> Datasets:
    """Returns the datasets in a form that a worker in this process can read.

    Args:
        datasets: Datasets of the run.
        config: Config of the run.
        address: Address of the Ray cluster, if `ray.data` reads them.
        trains: Whether the training files are read.
    """
    files = trains and reads_files_by_ray(datasets, config)
    if not files and not any(map(is_ray_dataset, datasets.values())):
        return datasets
    from raymon.training.on_ray.cluster import connect

    connect(address)
    from raymon.training.on_ray.datasets import add_config_files, in_process

    return in_process(add_config_files(datasets, config) if files else datasets, config)
