"""Scores a checkpoint of a finished run."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from raymon.config import read_saved
from raymon.errors import ClusterLostError, ConfigError, TrainingError, UserError
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.reporter import InProcessReporter, NewsSource, Progress, Reporter
from raymon.results import Evaluation
from raymon.sinks import Console, LiveOutput, open_output
from raymon.storage import StoragePath, absolute, storage_path
from raymon.training.checkpoint.best import choose_checkpoint
from raymon.training.checkpoint.manifest import check_sound
from raymon.training.in_process import datasets_in_process, in_process_context
from raymon.training.input.datasets import EVAL, Datasets, check_datasets, is_ray_dataset
from raymon.training.input.readers import features_of
from raymon.training.input.vocabularies import check_vocabularies
from raymon.training.loop.worker import run_worker
from raymon.training.prepare import (
    check_devices,
    check_evaluation_input,
    with_absolute_paths,
)
from raymon.training.rank.worker_task import WorkerTask
from raymon.training.run_failure import line_of


def evaluate_run(
    model_dir: str | StoragePath,
    checkpoint: str = "latest",
    overrides: Sequence[str] = (),
    *,
    address: str | None = None,
    datasets: Datasets | None = None,
) -> tuple[int, dict[str, float]]:
    """Scores a checkpoint on the evaluation data of its config.

    Args:
        model_dir: Directory of the run, or its URI.
        checkpoint: "latest", "best", or a step.
        overrides: Overrides `field=value` of the config that is saved with the run.
        address: Address of a Ray cluster, as for `train`.
        datasets: Datasets that replace files, as for `train`; only "eval" is read.

    Returns:
        The step of the checkpoint, and the scores by name.

    Raises:
        UserError: There is no such checkpoint, it is damaged, or there is no data to score it on.
        TrainingError: The evaluation failed.
    """
    evaluation = evaluation_of_run(
        model_dir, checkpoint, overrides, address=address, datasets=datasets
    )
    return evaluation.step, dict(evaluation.metrics)


def evaluation_of_run(
    model_dir: str | StoragePath,
    checkpoint: str = "latest",
    overrides: Sequence[str] = (),
    *,
    address: str | None = None,
    datasets: Datasets | None = None,
) -> Evaluation:
    """Scores a checkpoint on the evaluation data of its config.

    Args:
        model_dir: Directory of the run.
        checkpoint: "latest", "best", or a step.
        overrides: Overrides `field=value` of the config that is saved with the run.
        address: Address of a Ray cluster, as for `train`.
        datasets: Datasets that replace files, as for `train`; only "eval" is read.

    Returns:
        The scores, with their bounds and the further counts of the metrics.

    Raises:
        UserError: There is no such checkpoint, it is damaged, or there is no data to score it on.
        TrainingError: The evaluation failed.
    """
    model_dir = storage_path(model_dir)
    config = with_absolute_paths(read_saved(model_dir, overrides))
    # The run may have been moved since it was written.
    config.model_dir = str(absolute(model_dir))
    given = dict(datasets or {})
    if not config.eval_input_path and EVAL not in given:
        raise ConfigError(f"{model_dir}: no eval_input_path; pass --set eval_input_path=PATH")
    chosen = choose_checkpoint(model_dir, checkpoint, config)
    check_sound(chosen)
    features = features_of(config)
    check_vocabularies(model_dir, features)
    check_datasets(given, config, features)
    check_evaluation_input(config, features, given)
    check_devices(config)
    watched = config.monitor_config
    terminal = open_output(level=watched.log_level, log_format=watched.log_format)
    task = WorkerTask(config.SerializeToString(), str(absolute(chosen.path)))
    # Without a directory, the reporter stores nothing: scores are only shown and returned.
    reporter = Reporter(None, [], 1, math.inf)
    run = _in_process if config.ray_config.num_workers == 0 else _on_ray
    return run(config, task, reporter, address, terminal, given)


def _in_process(
    config: PipelineConfig,
    task: WorkerTask,
    reporter: Reporter,
    address: str | None,
    terminal: LiveOutput | None,
    datasets: Datasets,
) -> Evaluation:
    read = datasets_in_process(datasets, config, address, trains=False)
    link = InProcessReporter(reporter)

    def work() -> None:
        run_worker(task, in_process_context(config), link, datasets=read)

    return _follow(work, config.model_dir, link, terminal)


def _on_ray(
    config: PipelineConfig,
    task: WorkerTask,
    reporter: Reporter,
    address: str | None,
    terminal: LiveOutput | None,
    datasets: Datasets,
) -> Evaluation:
    from raymon.training.on_ray.cluster import check_capacity, connect

    connection = connect(address)
    check_capacity(config.ray_config, any(map(is_ray_dataset, datasets.values())))
    from raymon.reporter.on_ray import start_reporter
    from raymon.training.on_ray.trainer import fit

    link = start_reporter(f"{config.model_dir}:evaluate", reporter)
    is_lost = False
    try:
        return _follow(lambda: fit(task, link, datasets), config.model_dir, link, terminal)
    except ClusterLostError:
        is_lost = True
        raise
    finally:
        connection.leave() if is_lost else link.stop()


def _follow(
    work: Callable[[], None],
    model_dir: str,
    reporter: NewsSource,
    terminal: LiveOutput | None,
) -> Evaluation:
    # The console shows no scores, as the caller gets them.
    with Progress(reporter, Console(0, 1.0, terminal, shows_scores=False)) as progress:
        try:
            work()
        except Exception as error:
            if isinstance(error, UserError | ClusterLostError):
                raise
            line = line_of(error, storage_path(model_dir), "evaluation")
            raise TrainingError(line) from error
    if not progress.evaluations:
        raise TrainingError("the scores did not arrive: the reporter is gone")
    return progress.evaluations[-1]
