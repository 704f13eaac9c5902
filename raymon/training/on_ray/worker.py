"""A worker of Ray Train."""

from __future__ import annotations

from typing import Any


def train_loop_per_worker(arguments: dict[str, Any]) -> None:
    """Runs a task as one rank; `TorchTrainer` calls it on every worker.

    Args:
        arguments: `config`, a serialised `PipelineConfig`; `checkpoint`, the path of one to
            evaluate, or None to train; `metrics`, those that the driver registered, by name;
            `reporter`, the run whose `ReportingActor` takes the measurements; `datasets` that
            replace files, by name; `ray_datasets`, the names of those that Ray Train splits;
            `validates`, whether a task of Ray Train scores checkpoints.
    """
    # Ray's controller imports this module too, so slow imports are here.
    import gc
    import logging

    import ray.train.torch

    # The objects of these imports stay. The garbage collector would look at all of them during the
    # imports that follow, which took 0.35 of the 1.4 s until the worker can begin.
    gc.freeze()
    from raymon.config import allow_custom_classes
    from raymon.errors import reason
    from raymon.log import ProcessLog, log_to_files, set_log_context, set_up_logging
    from raymon.metrics import register_metric
    from raymon.reporter.on_ray import TreeReporter, reporter_of
    from raymon.training.log_files import log_files_of
    from raymon.training.loop.worker import run_worker
    from raymon.training.on_ray.ray_train_thread import RayTrainThread
    from raymon.training.rank.crash_trace import CrashTraceFile
    from raymon.training.rank.failure import as_rank_failure
    from raymon.training.rank.stacks import prepare_stack_dumps
    from raymon.training.rank.worker_context import WorkerContext
    from raymon.training.rank.worker_task import WorkerTask

    prepare_stack_dumps()
    # A worker shows nothing itself: the driver prints what the reporter publishes.
    set_up_logging("WARNING")
    # The driver has refused the config if custom classes are not allowed.
    allow_custom_classes()
    for name, cls in arguments["metrics"].items():
        register_metric(name, cls)
    task = WorkerTask(arguments["config"], arguments["checkpoint"])
    world = ray.train.get_context()
    context = WorkerContext(
        world.get_world_rank(),
        world.get_world_size(),
        ray.train.torch.get_device(),
        RayTrainThread(validates=arguments["validates"]),
        ray.get_runtime_context().get_node_id(),
    )
    datasets = dict(arguments["datasets"])
    if arguments["ray_datasets"]:
        from raymon.training.on_ray.datasets import rows_of_worker

        datasets |= rows_of_worker(arguments["ray_datasets"], task.config)
    reporter = TreeReporter(reporter_of(arguments["reporter"]), task.config.monitor_config)
    files = None if task.checkpoint else log_files_of(task.config)
    with ProcessLog(f"rank-{context.rank}", files):
        set_log_context(rank=context.rank)
        trace = CrashTraceFile()
        try:
            run_worker(task, context, reporter, datasets=datasets)
        except Exception as error:
            log_to_files(logging.ERROR, reason(error), error, event="failed")
            raise as_rank_failure(error, context.rank) from error
        finally:
            trace.close()
