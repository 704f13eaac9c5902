"""Runs a pipeline from the driver: checks, workers, progress, summary."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from os import PathLike

from raymon.config import evaluates_asynchronously, load, locate, save
from raymon.data import pipeline_features
from raymon.diagnosis import checks_of
from raymon.errors import ClusterLostError, ConfigError, reason
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.protos.ray_pb2 import RayConfig
from raymon.protos.train_pb2 import TrainConfig
from raymon.reporter import (
    InProcessReporter,
    Listener,
    Reporter,
    Summary,
)
from raymon.run_dir import RunLock
from raymon.runs import INTERRUPTED, RUNNING, STOPPED
from raymon.sinks import (
    AlertLines,
    BackgroundSink,
    EvaluationLines,
    EvaluationRecords,
    LiveOutput,
    RankLines,
    RunCard,
    Sink,
    StatusLines,
    TensorBoard,
    WindowLines,
    open_output,
    opentelemetry_of,
    trackers_of,
    webhook_of_environment,
)
from raymon.storage import StoragePath, storage_path
from raymon.training.announced import Announced
from raymon.training.checkpoint.fine_tune import Transfer
from raymon.training.checkpoint.keep_rule import KeepRule, delete_obsolete
from raymon.training.follow import follow, write_summary
from raymon.training.hangs.end_here import EndHere
from raymon.training.hangs.of_config import hang_response, named_failure
from raymon.training.in_process import datasets_in_process, in_process_context
from raymon.training.input.datasets import (
    TRAIN,
    Datasets,
    is_ray_dataset,
    log_limits,
    title,
)
from raymon.training.input.vocabularies import save_vocabularies
from raymon.training.log_files import driver_log, fix_log_level, log_files_of
from raymon.training.looking import looking_commands
from raymon.training.loop.worker import run_worker
from raymon.training.on_demand.mailbox import clear_requests
from raymon.training.on_demand.stacks import stacks_here, stacks_of_ranks
from raymon.training.prepare import (
    RunPlan,
    check_config,
    check_model_dir,
    plan_fine_tuning,
    plan_run,
)
from raymon.training.rank.stacks import own_stacks
from raymon.training.rank.worker_task import WorkerTask
from raymon.training.run_failure import line_of
from raymon.training.run_files_backup import RunFilesBackup
from raymon.training.table_memory import check_tables_here

_log = logging.getLogger("raymon")

EXPORT = "export"
"""Directory of the exported model, in the directory of the run."""

STATUS_S = 10.0
"""Seconds between two status lines in the log of the reporter."""

_MB = 1_000_000
DEFAULT_SUMMARIES = ("loss", "learning_rate")


def train(
    config: str | PathLike[str] | PipelineConfig,
    overrides: Mapping[str, object] | Sequence[str] = (),
    *,
    resume: bool = False,
    address: str | None = None,
    datasets: Datasets | None = None,
    listener: Listener | None = None,
) -> Summary:
    """Trains a model and returns the summary of the run.

    Args:
        config: Path of a pipeline config, or the config.
        overrides: Overrides by field, or as `field=value`; not for a config that is already loaded.
        resume: Whether to continue from the newest checkpoint in `model_dir`.
        address: Address of a Ray cluster; None uses RAY_ADDRESS, or starts Ray on this machine.
            With `ray_config.num_workers` 0 the run is in this process, without Ray.
        datasets: Datasets that replace the files of `train_input_path` and `eval_input_path`, as
            "train" and "eval": a `ray.data.Dataset`, an iterable, or a function that returns one
            and may take any of the arguments `rank`, `world_size` and `epoch`. See
            `raymon.data.DatasetReader`.
        listener: Called with all that the reporter publishes, on a thread of this process.

    Raises:
        UserError: The config, the data or the directory of the run is wrong.
        TrainingError: The run failed.
    """
    given = dict(datasets or {})
    is_checked = not isinstance(config, PipelineConfig)
    if isinstance(config, PipelineConfig):
        pipeline = config
    else:
        pipeline = load_checked(config, overrides, datasets=given)
    watched = pipeline.monitor_config
    terminal = open_output(level=watched.log_level, log_format=watched.log_format)
    webhook_of_environment()
    try:
        plan = plan_run(pipeline, given, resumed=resume, is_checked=is_checked)
    except ConfigError as error:
        # Tables of samplers are read with the data, and named by a field of the config.
        if isinstance(config, PipelineConfig) or not str(error).startswith("data_config."):
            raise
        raise locate(error, config, overrides) from None
    with RunLock(storage_path(plan.config.model_dir)):
        clear_requests(storage_path(plan.config.model_dir))
        check_model_dir(storage_path(plan.config.model_dir), resume)
        if not resume:
            found = plan_fine_tuning(plan.config, plan.features)
            _log_fine_tuning(plan.config.train_config, found)
        run = _run_in_process if pipeline.ray_config.num_workers == 0 else _run_on_ray
        asked = pipeline.HasField("export_config") and pipeline.export_config.export_at_end
        fix_log_level(plan.config)
        with driver_log(plan.config):
            summary = run(plan, address, terminal, listener)
            if asked and summary.status != STOPPED:
                summary = _export(plan.config, summary)
        return summary


def load_checked(
    path: str | PathLike[str],
    overrides: Mapping[str, object] | Sequence[str] = (),
    *,
    datasets: Collection[str] = (),
) -> PipelineConfig:
    """Loads a config and checks everything in it that needs no data.

    Args:
        path: Path of the config; see `raymon.config.load`.
        overrides: Overrides of its fields; see `raymon.config.load`.
        datasets: Names of the datasets that replace files; see `raymon.config.load`.

    Raises:
        ConfigError: Something is wrong with it; the message says where.
    """
    config = load(path, overrides, datasets=datasets)
    try:
        check_config(config)
    except ConfigError as error:
        raise locate(error, path, overrides) from None
    return config


def check_memory(
    config: PipelineConfig,
    path: str | PathLike[str],
    overrides: Mapping[str, object] | Sequence[str] = (),
) -> None:
    """Checks that the tables of a config fit into the memory of this machine.

    If the workers may be on other machines, it only warns.

    Args:
        config: Config that `load_checked` returned.
        path: Path from which it was loaded.
        overrides: Overrides with which it was loaded.

    Raises:
        ConfigError: The run is to be in this process, and the tables do not fit.
    """
    workers = config.ray_config.num_workers
    try:
        check_tables_here(config, pipeline_features(config), workers)
    except ConfigError as error:
        if workers == 0:
            raise locate(error, path, overrides) from None
        _log.warning("with %d workers on a machine like this one: %s", workers, error)


def make_reporter(config: PipelineConfig, *more: Sink, total_steps: int | None = None) -> Reporter:
    """Makes the reporter of a run, with the sinks of its config and those in `more`.

    Args:
        config: Config of the run.
        more: Further sinks.
        total_steps: Steps of the run; None if they are not known.
    """
    train_config, model_dir = config.train_config, storage_path(config.model_dir)
    sinks: list[Sink] = [
        WindowLines(model_dir, config.monitor_config.windows_max_mb * _MB),
        RankLines(model_dir, config.monitor_config.windows_max_mb * _MB),
        EvaluationLines(model_dir),
        EvaluationRecords(model_dir, config.monitor_config.windows_max_mb * _MB),
        AlertLines(model_dir),
        *trackers_of(config),
        *opentelemetry_of(config.monitor_config, config.model_dir),
        *more,
    ]
    if train_config.use_tensorboard:
        summaries = {*DEFAULT_SUMMARIES, *train_config.tensorboard_summaries}
        max_bytes = config.monitor_config.events_max_mb * _MB
        sinks.append(TensorBoard(model_dir, summaries, max_bytes, card=RunCard.of(config)))
    return Reporter(
        model_dir,
        [BackgroundSink(sink) for sink in sinks],
        train_config.log_step_count_steps,
        config.monitor_config.late_after_s,
        checks=checks_of(config.monitor_config, total_steps),
    )


def _run_in_process(
    plan: RunPlan, address: str | None, terminal: LiveOutput | None, listener: Listener | None
) -> Summary:
    config = plan.config
    backup = RunFilesBackup(storage_path(config.model_dir))
    with _announced(plan, backup) as announced:
        datasets = datasets_in_process(plan.datasets, config, address)
        _begin_run(plan, backup)
        reporter = InProcessReporter(make_reporter(config, total_steps=plan.total_steps))
    task = WorkerTask(config.SerializeToString())
    here = EndHere()

    def work(interrupted: Callable[[], None]) -> None:
        with here:
            run_worker(task, in_process_context(config), reporter, datasets=datasets)

    hangs = hang_response(
        config, reporter, lambda node, pid: own_stacks(), lambda rank, why: here.end(why)
    )
    return follow(
        plan,
        work,
        reporter,
        terminal,
        backup,
        announced.session,
        (),
        stacks_here,
        hangs,
        listener,
    )


def _run_on_ray(
    plan: RunPlan, address: str | None, terminal: LiveOutput | None, listener: Listener | None
) -> Summary:
    # Imported only where it is needed: importing Ray takes seconds, and reads the environment.
    from raymon.training.on_ray.cluster import connect, wait_for_capacity

    config = plan.config
    backup = RunFilesBackup(storage_path(config.model_dir))
    # A run may wait for its cluster, and be refused there, before it begins.
    with _announced(plan, backup) as announced:
        connection = connect(address)
        from raymon.reporter.on_ray import start_reporter
        from raymon.training.on_ray.datasets import add_config_files
        from raymon.training.on_ray.stacks import kill_on, take_stacks_on
        from raymon.training.on_ray.trainer import fit

        if connection.started is not None:
            # All workers will be on this machine.
            check_tables_here(config, plan.features, config.ray_config.num_workers)
        datasets = add_config_files(plan.datasets, config)
        wait_for_capacity(config.ray_config, any(map(is_ray_dataset, datasets.values())))

        task = WorkerTask(config.SerializeToString())
        reporter = start_reporter(
            config.model_dir,
            make_reporter(config, StatusLines(STATUS_S), total_steps=plan.total_steps),
            config.monitor_config.use_prometheus,
            log_files_of(config),
        )
    is_lost = False
    hangs = hang_response(
        config, reporter, take_stacks_on, lambda rank, why: kill_on(rank.node_id, rank.pid)
    )

    def work(interrupted: Callable[[], None]) -> None:
        with named_failure(hangs, lambda: reporter.status().attempts):
            fit(task, reporter, datasets, interrupted)
        if evaluates_asynchronously(config):
            # Again, because the last scores arrived after the last save.
            delete_obsolete(storage_path(config.model_dir), KeepRule.of(config))

    def stacks(ranks: Sequence[int]) -> Mapping[str, str]:
        return stacks_of_ranks(ranks, reporter.ranks(), take_stacks_on)

    try:
        with announced:
            _begin_run(plan, backup)
        if connection.dashboard:
            _log.info(
                "Ray dashboard: %s (its token: ray get-auth-token), while the run goes on",
                connection.dashboard,
            )
        _log.info("Starting %s workers", _workers(config.ray_config))
        return follow(
            plan,
            work,
            reporter,
            terminal,
            backup,
            announced.session,
            (reporter,),
            stacks,
            hangs,
            listener,
        )
    except ClusterLostError:
        is_lost = True
        raise
    finally:
        # A lost cluster does not answer, and Ray would wait for it.
        connection.leave() if is_lost else reporter.stop()


def _workers(config: RayConfig) -> str:
    least = f"{config.min_workers} to " if config.min_workers else ""
    return f"{least}{config.num_workers}"


def _log_fine_tuning(config: TrainConfig, found: Sequence[Transfer]) -> None:
    if not found:
        return
    counts = Counter(transfer.state for transfer in found)
    listed = ", ".join(f"{count} {state}" for state, count in counts.items())
    _log.info("Fine-tuning from %s: %s", config.fine_tune_checkpoint, listed)
    for transfer in found:
        _log.info("  %s", transfer)


def _announced(plan: RunPlan, backup: RunFilesBackup) -> Announced:
    return Announced(
        storage_path(plan.config.model_dir), plan.total_steps, is_resumed=backup.has_earlier_run
    )


def _begin_run(plan: RunPlan, backup: RunFilesBackup) -> None:
    config = plan.config
    model_dir = storage_path(config.model_dir)
    save(config, config.model_dir)
    if not backup.has_earlier_run:
        save_vocabularies(model_dir, plan.features)
    _log.info(
        "Training on %s, %s, %s workers, into %s",
        title(TRAIN) if plan.rows is None else f"{plan.rows:,} rows",
        "steps unknown" if plan.total_steps is None else f"{plan.total_steps} steps",
        _workers(config.ray_config),
        config.model_dir,
    )
    _log.info("See it: %s", ", ".join(looking_commands(config.model_dir).values()))
    log_limits(plan.datasets, config)


def _export(config: PipelineConfig, summary: Summary) -> Summary:
    """Exports the model; a model that cannot be exported counts as trained all the same."""
    # The module that traces models takes a second to import.
    from raymon.training.export import export_run

    model_dir = storage_path(config.model_dir)
    write_summary(lambda: replace(summary, status=RUNNING))
    try:
        export_run(model_dir, model_dir / EXPORT, config.export_config.exporter_type, replace=True)
    except KeyboardInterrupt:
        _log.warning(
            "Interrupted while the model was exported; it is trained, and is exported by: raymon "
            "export %s",
            model_dir,
        )
        write_summary(lambda: replace(summary, status=INTERRUPTED))
        raise
    except Exception as error:
        _log.warning("Not exported: %s", line_of(error, model_dir, "export"))
        return write_summary(lambda: summary)
    _register(config, model_dir / EXPORT)
    return write_summary(lambda: replace(summary, export=str(model_dir / EXPORT)))


def _register(config: PipelineConfig, exported: StoragePath) -> None:
    if any(tracker.mlflow.registered_model_name for tracker in config.monitor_config.trackers):
        from raymon.training.register import register_export

        try:
            register_export(config, exported)
        except Exception as error:  # the model is exported all the same
            _log.warning("Not registered: %s", reason(error))
