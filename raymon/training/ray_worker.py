"""A worker of Ray Train."""

from __future__ import annotations

from typing import Any


def train_loop_per_worker(arguments: dict[str, Any]) -> None:
    """The function that `TorchTrainer` runs on every worker.

    Args:
        arguments: `config`, a serialised `PipelineConfig`; `checkpoint`, the path of one to
            evaluate, or None to train; `metrics`, those that the driver registered, by name;
            `reporter`, the run whose `ReportingActor` takes what is measured; `datasets` in place
            of files, by name; `ray_datasets`, the names of those that Ray Train splits;
            `validates`, whether a task of Ray Train scores checkpoints.
    """
    # Ray's controller imports this module too, so what takes seconds is imported here.
    import logging

    import ray.train.torch

    from raymon.config.custom import allow_custom_classes
    from raymon.metrics import register_metric
    from raymon.reporter.node_actor import TreeReporter
    from raymon.reporter.ray_reporter import reporter_of
    from raymon.training.job import Job
    from raymon.training.kept_memory import keep_memory
    from raymon.training.ray_register import RayRegister
    from raymon.training.worker import run_worker
    from raymon.training.worker_context import WorkerContext

    keep_memory()
    # A worker says nothing by itself: the driver prints what the reporter publishes.
    logging.getLogger("raymon").setLevel(logging.WARNING)
    # The driver would have refused what nobody has allowed.
    allow_custom_classes()
    for name, cls in arguments["metrics"].items():
        register_metric(name, cls)
    job = Job(arguments["config"], arguments["checkpoint"])
    world = ray.train.get_context()
    context = WorkerContext(
        world.get_world_rank(),
        world.get_world_size(),
        ray.train.torch.get_device(),
        RayRegister(validates=arguments["validates"]),
    )
    datasets = dict(arguments["datasets"])
    if arguments["ray_datasets"]:
        from raymon.training.ray_datasets import rows_of_worker

        datasets |= rows_of_worker(arguments["ray_datasets"], job.config)
    reporter = TreeReporter(reporter_of(arguments["reporter"]), job.config.monitor_config)
    run_worker(job, context, reporter, datasets=datasets)
