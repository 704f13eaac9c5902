"""The checks before a run begins, so that nothing is left half done."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import torch
from torchmetrics import Metric

from raymon.config import (
    CONFIG_FILE,
    SAMPLER_PATHS,
    Task,
    check_alert_hooks,
    check_tracker_addresses,
    evaluates_asynchronously,
    feature_blocks,
    named_metrics,
    named_train_metrics,
    pipeline_tasks,
    skips_bad_files,
    total_steps,
)
from raymon.data import (
    Feature,
    LabelKind,
    absolute_paths,
    check_input,
    check_label_map,
    format_of,
    is_encoded,
)
from raymon.embeddings import check_kernels, shards_tables
from raymon.errors import ConfigError, RunError, UserError, first_line
from raymon.metrics import TrainMetricWrapper, build_custom, few_rows, try_out
from raymon.models import Model, build_model, task_kinds
from raymon.protos.data_pb2 import DatasetType
from raymon.protos.metric_pb2 import CustomMetric
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.reporter import last_step_kept
from raymon.sinks import SCORES_FILE, trackers_of
from raymon.storage import StoragePath, absolute, check_no_credentials, storage_path
from raymon.training.checkpoint.fine_tune import LOADED, Transfer, checkpoint_of, transfers
from raymon.training.checkpoint.manifest import (
    checkpoint_directories,
    has_manifest,
    is_foreign,
    newest_checkpoint,
)
from raymon.training.checkpoint.scores import read_scores
from raymon.training.input.datasets import EVAL, TRAIN, Datasets, check_datasets, title
from raymon.training.input.fg_mode import resolve_fg_mode, why_ids_differ
from raymon.training.input.readers import (
    columns_of,
    eval_reader,
    features_of,
    train_reader,
)
from raymon.training.input.samplers import check_item_features, warn_of_attributes
from raymon.training.input.vocabularies import changed_vocabulary, check_vocabularies
from raymon.training.log_files import check_logging_config
from raymon.training.optim.optimizers import check_parts
from raymon.training.rank.devices import why_no_gpu
from raymon.training.table_memory import check_tables_here

_log = logging.getLogger("raymon")


@dataclass(frozen=True)
class RunPlan:
    """A config that can run.

    Attributes:
        config: Config with absolute paths.
        features: Features of the config.
        total_steps: Steps of the run; None if unknown.
        rows: Rows of the training data; None if unknown.
        left_over: Rows of an epoch that fill no batch and are left out.
        datasets: Datasets that replace files.
    """

    config: PipelineConfig
    features: list[Feature]
    total_steps: int | None
    rows: int | None
    left_over: int = 0
    datasets: Datasets = field(default_factory=dict)


def check_config(config: PipelineConfig) -> list[Feature]:
    """Checks all of a config that needs no data: features, feature groups, the class of the model.

    Returns:
        The features of the config.

    Raises:
        ConfigError: Something in the config is wrong.
    """
    features = features_of(config)
    check_item_features(config, features)
    warn_of_attributes(config, features)
    check_logging_config(config)
    check_alert_hooks(config.monitor_config)
    check_tracker_addresses(config.monitor_config)
    trackers_of(config)
    try:
        check_label_map(config.data_config.label_map)
    except ValueError as error:
        raise ConfigError(f"data_config.label_map: {error}") from None
    device = "cuda" if config.ray_config.use_gpu else "cpu"
    if shards_tables(config.train_config, config.ray_config.num_workers, device):
        check_kernels((f.embedding for f in features if f.embedding is not None), device)
    _try_custom_metrics(config)
    model = build_meta_model(config, features)
    model.init_metric()
    check_parts(config.train_config.dense_optimizer, model)
    return features


def build_meta_model(config: PipelineConfig, features: list[Feature]) -> Model:
    """Builds the model of a run without memory for its tensors, for checks.

    Raises:
        ConfigError: The model cannot be built.
    """
    try:
        with torch.device("meta"):
            return build_model(config, features)
    except ConfigError:
        if not config.model_config.HasField("custom"):
            raise
    # A custom class may compute with values, which tensors on "meta" do not have.
    return build_model(config, features)


def _try_custom_metrics(config: PipelineConfig) -> None:
    of = pipeline_tasks(config)
    kinds = task_kinds(of)
    for metric in named_metrics(of):
        if metric.kind == "custom_metric":
            place, custom = f"{metric.place}.custom_metric", metric.config.custom_metric
            _try_custom_metric(metric.task, kinds[metric.task.name], custom, place)
    for each in named_train_metrics(of):
        if each.kind == "custom_metric":
            place, custom = f"{each.place}.custom_metric", each.config.custom_metric
            metric_of_task = _try_custom_metric(each.task, kinds[each.task.name], custom, place)
            try:
                TrainMetricWrapper(metric_of_task)
            except UserError as error:
                raise ConfigError(f"{place}: {error}") from None


def _try_custom_metric(task: Task, kind: LabelKind, custom: CustomMetric, place: str) -> Metric:
    classes = task.num_class if kind is LabelKind.CLASS else 1
    preds, target = few_rows(classes, real=kind is LabelKind.REAL)
    weights = torch.ones(len(preds)) if task.sample_weight else None
    metric = build_custom(custom, place)
    try_out(metric, preds, target, weights, place)
    return metric


def plan_run(
    config: PipelineConfig,
    datasets: Datasets,
    *,
    resumed: bool = False,
    is_checked: bool = False,
) -> RunPlan:
    """Checks the config and its data; of data files only the footers are read.

    Args:
        config: Config of the run.
        datasets: Datasets that replace files.
        resumed: Whether the run continues.
        is_checked: Whether `check_config` has checked the config; it is checked again only if the
            data shows columns of the other kind, encoded or raw.

    Raises:
        ConfigError: The config is wrong.
        DataError: The data is missing, or does not fit the config.
        RunError: The run continues, and had other vocabularies.
    """
    given = with_absolute_paths(config)
    config = resolve_fg_mode(given, datasets, resumed=resumed)
    is_checked = is_checked and is_encoded(config) == is_encoded(given)
    features = features_of(config) if is_checked else check_config(config)
    if resumed:
        check_vocabularies(storage_path(config.model_dir), features)
    check_datasets(datasets, config, features)
    if TRAIN in datasets:
        plan = RunPlan(config, features, _known_steps(config), None, datasets=datasets)
    else:
        plan = _plan_files(config, features, datasets)
    check_evaluation_input(config, features, datasets)
    if evaluates_asynchronously(config) and isinstance(datasets.get(EVAL), Iterable):
        raise ConfigError(
            "eval_config.mode: is ASYNC, where one task reads the rows of all ranks; "
            f"{title(EVAL)} has to be a function of rank and world_size"
        )
    check_devices(config)
    if config.ray_config.num_workers == 0:
        check_tables_here(config, features, 1)
    return plan


def _plan_files(config: PipelineConfig, features: list[Feature], datasets: Datasets) -> RunPlan:
    rows = check_input(
        config.train_input_path,
        columns_of(config, features),
        skip_bad_files=skips_bad_files(config),
        file_format=format_of(config.data_config),
    ).rows
    if config.data_config.dataset_type == DatasetType.RayDataset:
        return RunPlan(config, features, _known_steps(config), rows, datasets=datasets)
    reader = train_reader(config, features, 0, max(1, config.ray_config.num_workers))
    steps = total_steps(config.train_config, reader.steps_per_epoch)
    return RunPlan(config, features, steps, rows, reader.left_over, datasets)


def _known_steps(config: PipelineConfig) -> int | None:
    train = config.train_config
    return None if train.HasField("num_epochs") else int(train.num_steps)


def check_evaluation_input(
    config: PipelineConfig, features: list[Feature], datasets: Datasets
) -> None:
    """Checks the files of the evaluation data, if there are any.

    Args:
        config: Config with absolute paths.
        features: Features of the config.
        datasets: Datasets that replace files.

    Raises:
        DataError: The files are missing, or do not fit the config.
    """
    if config.eval_input_path and EVAL not in datasets:
        check_input(
            config.eval_input_path,
            columns_of(config, features, evaluation=True),
            skip_bad_files=skips_bad_files(config),
            file_format=format_of(config.data_config),
        )
        eval_reader(config, features, 0, max(1, config.ray_config.num_workers))


def check_devices(config: PipelineConfig) -> None:
    """Checks that the devices of a run are consistent and present.

    Raises:
        ConfigError: The devices are inconsistent, or one is missing.
    """
    ray_config = config.ray_config
    if ray_config.resources_per_worker.get("GPU", 0) and not ray_config.use_gpu:
        raise ConfigError("ray_config.resources_per_worker: has GPU; set ray_config.use_gpu: true")
    share = ray_config.resources_per_worker.get("GPU", 1)
    if ray_config.use_gpu and share < 1 and ray_config.num_workers > 1:
        raise ConfigError(
            f"ray_config.resources_per_worker: {share:g} GPU for each of {ray_config.num_workers} "
            "workers: two would be on one GPU, which NCCL refuses; give 1, or one worker alone"
        )
    if ray_config.use_gpu and ray_config.num_workers == 0:
        why = why_no_gpu()
        if why is not None:
            raise ConfigError(
                f"ray_config.use_gpu: {why}; or leave it out, or set ray_config.num_workers to run "
                "where there is a GPU"
            )


def plan_fine_tuning(config: PipelineConfig, features: list[Feature]) -> list[Transfer]:
    """Returns what a new run takes from another one; empty if it takes nothing.

    Args:
        config: Config with absolute paths.
        features: Features of the config.

    Raises:
        RunError: There is no such checkpoint, or nothing in it fits.
    """
    train = config.train_config
    if not train.fine_tune_checkpoint:
        return []
    model = build_meta_model(config, features)
    checkpoint = checkpoint_of(train.fine_tune_checkpoint)
    why = why_ids_differ(config, checkpoint.path.parent)
    if why is not None:
        _log.warning("fine_tune_checkpoint: %s: %s", checkpoint.path, why)
    name = changed_vocabulary(checkpoint.path.parent, features)
    if name is not None:
        _log.warning(
            "fine_tune_checkpoint: %s: the vocabulary of feature %s is another one here: rows of "
            "its table are those of other values",
            checkpoint.path,
            name,
        )
    found = transfers(model, checkpoint, train)
    if not any(transfer.state == LOADED for transfer in found):
        raise RunError(f"fine_tune_checkpoint: {train.fine_tune_checkpoint}: nothing of it fits")
    return found


def check_model_dir(model_dir: StoragePath, resume: bool) -> None:
    """Checks that a run continues only if asked to, and that a new run replaces no other.

    Raises:
        RunError: The directory has checkpoints, or scores of deleted ones, and `resume` is false;
            or it has no checkpoint and `resume` is true; or it cannot be read.
    """
    try:
        _check_model_dir(model_dir, resume)
    except (OSError, pa.ArrowException) as error:
        raise RunError(f"{model_dir}: cannot be read: {first_line(error)}") from None


def _check_model_dir(model_dir: StoragePath, resume: bool) -> None:
    newest = newest_checkpoint(model_dir)
    if newest is not None and not resume:
        raise RunError(
            f"{model_dir}: has a checkpoint of step {newest.step}; "
            "pass --resume to go on from it, or choose another model_dir"
        )
    damaged = [p for p in checkpoint_directories(model_dir) if has_manifest(p)]
    if newest is None and damaged and not resume:
        raise RunError(
            f"{model_dir}: has checkpoints that are damaged, as {damaged[-1].name}; choose another "
            "model_dir"
        )
    foreign = [path for path in checkpoint_directories(model_dir) if is_foreign(path)]
    if foreign and not resume:
        raise RunError(
            f"{foreign[0]}: is of another program, and would make room for a checkpoint; choose "
            "another model_dir"
        )
    if newest is None and resume and not damaged:
        raise RunError(f"{model_dir}: --resume: no complete checkpoint to go on from")
    began_here = (model_dir / CONFIG_FILE).is_file()
    if not resume and not began_here:
        # A run of raymon that ended before its first checkpoint leaves a config.
        kept = last_step_kept(model_dir)
        if kept > 0:
            raise RunError(
                f"{model_dir}: has the numbers of a monitored loop up to step {kept}, which a run "
                "that begins would take back; choose another model_dir"
            )
    # A run killed during its first save has one line of scores and no checkpoint.
    if newest is None and not resume and len(read_scores(model_dir)) > int(began_here):
        raise RunError(
            f"{model_dir}: has the scores of a run whose checkpoints are gone, which a run that "
            f"begins would take back; choose another model_dir, or remove {SCORES_FILE}"
        )


def with_absolute_paths(config: PipelineConfig) -> PipelineConfig:
    """Returns the config with paths that hold in any working directory.

    Raises:
        UserError: A URI has credentials, which would be saved with the run; that of `model_dir`
            cannot be opened; or a path is relative to a working directory whose name is not text.
    """
    try:
        return _with_absolute_paths(config)
    except UnicodeEncodeError:
        raise ConfigError(
            f"{os.getcwd()}: the working directory has a name that is not text in UTF-8; work in "
            "another one"
        ) from None


def _with_absolute_paths(config: PipelineConfig) -> PipelineConfig:
    result = PipelineConfig()
    result.CopyFrom(config)
    result.model_dir = str(absolute(storage_path(config.model_dir)))
    if config.train_input_path:
        result.train_input_path = absolute_paths(config.train_input_path)
    if config.eval_input_path:
        result.eval_input_path = absolute_paths(config.eval_input_path)
    kind = result.data_config.WhichOneof("sampler")
    if kind is not None:
        block = getattr(result.data_config, kind)
        for name in SAMPLER_PATHS:
            if name in block.DESCRIPTOR.fields_by_name and block.HasField(name):
                setattr(block, name, absolute_paths(getattr(block, name)))
    train = result.train_config
    for name in ("fine_tune_checkpoint", "fine_tune_ckpt_param_map"):
        if getattr(train, name):
            setattr(train, name, _absolute(getattr(train, name)))
    monitoring = result.monitor_config
    if monitoring.logging_config_path:
        monitoring.logging_config_path = _absolute(monitoring.logging_config_path)
    if monitoring.log_files.directory:
        monitoring.log_files.directory = _absolute(monitoring.log_files.directory)
    for block in feature_blocks(result.feature_configs):
        if block.names_file:
            block.config.vocab_file = _absolute(block.config.vocab_file)
    return result


def _absolute(path: str) -> str:
    check_no_credentials(path)
    return path if "://" in path else str(absolute(Path(path)))
