"""Runs a task on workers through Ray's `TorchTrainer`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import ray
from ray import cloudpickle
from ray.train import FailureConfig, RunConfig, ScalingConfig
from ray.train import TrainingFailedError as RayTrainingFailedError
from ray.train.torch import TorchTrainer

from raymon.config import evaluates_asynchronously
from raymon.errors import ClusterLostError, DataError, RaymonError, UserError, reason
from raymon.metrics import registered_metrics
from raymon.protos.ray_pb2 import RayConfig
from raymon.reporter.on_ray import RayReporter
from raymon.storage import storage_path
from raymon.training.input.datasets import EVAL, Datasets, is_ray_dataset, title
from raymon.training.on_ray.cluster import worker_resources
from raymon.training.on_ray.cluster_watch import ClusterWatch
from raymon.training.on_ray.failure_callback import FailureCallback
from raymon.training.on_ray.gpu_workers import GpuConfig
from raymon.training.on_ray.malloc import malloc_settings
from raymon.training.on_ray.row_split import EveryRow
from raymon.training.on_ray.storage import in_ray, repair_snapshot
from raymon.training.on_ray.validation import validation_config
from raymon.training.on_ray.worker import train_loop_per_worker
from raymon.training.on_ray.worker_deaths import Find, death_of, find_on_node, nothing_found
from raymon.training.on_ray.worker_failures import as_failure, failures_of_workers
from raymon.training.rank.failure import RankFailedError, first_cause
from raymon.training.rank.worker_task import WorkerTask

_log = logging.getLogger("raymon")

_ABORT_S = 3.0
"""Seconds that the workers have to end if the run is interrupted."""


def fit(
    task: WorkerTask,
    reporter: RayReporter,
    datasets: Datasets,
    interrupted: Callable[[], None] = lambda: None,
) -> None:
    """Runs a task on the workers of the cluster that this process is connected to.

    Args:
        task: What to do.
        reporter: Connection to the reporter.
        datasets: Datasets that replace files.
        interrupted: Called when a signal interrupts the run, before anything is waited for.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed.
        UserError: A worker found an error in what the user gave.
        ClusterLostError: Ray is gone.
        TrainingError: The run failed.
    """
    config = task.config
    run_dir = storage_path(config.model_dir)
    if task.checkpoint is not None:
        # An evaluation must not touch Ray's records of the checkpoints of the run.
        run_dir = run_dir / "monitor" / "evaluate"
    of_ray = {name: data for name, data in datasets.items() if is_ray_dataset(data)}
    others = {name: data for name, data in datasets.items() if name not in of_ray}
    _check_serializable(others)
    repair_snapshot(run_dir)
    above, name = run_dir.parent, run_dir.name
    if not name.isascii():
        # The metrics of Ray have the name as a tag, which must be ASCII.
        above, name = run_dir, "."
    parent, filesystem = in_ray(above)
    evaluated = bool(config.eval_input_path) or EVAL in datasets
    validates = task.checkpoint is None and evaluated and evaluates_asynchronously(config)
    arguments = {
        "config": task.serialized_config,
        "checkpoint": task.checkpoint,
        "metrics": registered_metrics(),
        "reporter": reporter.run,
        "datasets": others,
        "ray_datasets": list(of_ray),
        "validates": validates,
    }
    # Untyped, because the annotations of Ray are those of an earlier version without this setting.
    more: dict[str, Any] = {"worker_runtime_env": {"env_vars": malloc_settings()}}
    if task.checkpoint is None:
        more["callbacks"] = [FailureCallback(reporter.run, config.ray_config.max_failures)]
    validation: dict[str, Any] = {}
    if validates:
        validation["validation_config"] = validation_config(config.eval_config, arguments)
    trainer = _Trainer(
        train_loop_per_worker,
        train_loop_config=arguments,
        **validation,
        datasets=of_ray,
        dataset_config=EveryRow(),
        torch_config=GpuConfig() if config.ray_config.use_gpu else None,
        scaling_config=_scaling_config(config.ray_config),
        run_config=RunConfig(
            name=name,
            storage_path=parent,
            storage_filesystem=filesystem,
            failure_config=FailureConfig(max_failures=config.ray_config.max_failures),
            **more,
        ),
    )
    logging.getLogger("ray.train").setLevel(logging.ERROR)
    with ClusterWatch() as watch:
        try:
            trainer.fit()
        except BaseException as error:
            asked = isinstance(error, KeyboardInterrupt) and not watch.woke
            if asked:
                interrupted()
            gone = watch.gone_with_group() if asked else watch.gone()
            if gone is not None:
                raise ClusterLostError(gone, interrupted=asked) from error
            if isinstance(error, RayTrainingFailedError):
                # In a training, `FailureCallback` has asked the nodes of workers that died.
                find = find_on_node if task.checkpoint is not None else nothing_found
                raise _failure_of_workers(error, find) from error
            trainer.abort()
            if isinstance(error, ray.exceptions.RayError):
                raise _failure_of_controller(error) from error
            raise


class _Trainer(TorchTrainer):
    """A `TorchTrainer` that leaves signals to their handlers, and can be aborted."""

    _controller: Any = None

    def abort(self) -> None:
        """Ends the workers, if they were started."""
        if self._controller is not None:
            # The controller ends with the workers, so the call gets no answer.
            with suppress(ray.exceptions.RayError):
                ray.get(self._controller.abort.remote(), timeout=_ABORT_S)

    def _register_sigint_handler(self, controller: Any) -> None:
        # Ray would install a handler here that aborts its controller at Ctrl-C, and exits.
        self._controller = controller


def _check_serializable(datasets: Datasets) -> None:
    for name, data in datasets.items():
        try:
            cloudpickle.dumps(data)
        except Exception as error:
            raise DataError(
                f"{title(name)}: cannot be sent to workers: {error}; give the function that makes "
                "it"
            ) from None


def _scaling_config(config: RayConfig) -> ScalingConfig:
    arguments: dict[str, Any] = {"num_workers": config.num_workers}
    if config.min_workers:
        arguments = {
            "num_workers": (config.min_workers, config.num_workers),
            "elastic_resize_monitor_interval_s": config.elastic_resize_monitor_interval_s,
        }
    return ScalingConfig(
        use_gpu=config.use_gpu,
        resources_per_worker=worker_resources(config),
        placement_strategy=config.placement_strategy,
        **arguments,
    )


def _failure_of_controller(error: ray.exceptions.RayError) -> RankFailedError:
    """Returns what ended the process in which Ray Train watches the workers."""
    death = death_of(error, nothing_found)
    text = reason(error) if death is None else f"the controller of Ray Train {death.text}"
    return RankFailedError(text, str(error) if death is None else death.details)


def _failure_of_workers(error: RayTrainingFailedError, find: Find = nothing_found) -> RaymonError:
    # What is found before the workers begin is an error of Ray's controller.
    before = getattr(error, "controller_failure", None)
    if isinstance(before, RaymonError):
        return before
    # Several ranks may fail for one cause; the error that knows it says most.
    own = failures_of_workers(getattr(error, "worker_failures", {}), find)
    first = first_cause(own)
    if first is None:
        return RankFailedError(reason(before or error), str(error))
    if isinstance(first, UserError):
        return type(first)(str(first))
    failure = as_failure(own)
    assert failure is not None
    return RankFailedError(failure.text, failure.details)
