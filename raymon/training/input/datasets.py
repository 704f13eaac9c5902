"""Datasets that replace files: which there are, and whether they can be read."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from raymon.config import least_rows, share_of_batch
from raymon.data import ARGUMENTS, DatasetReader, Feature, check_schema, has_state, wanted_arguments
from raymon.errors import ConfigError, DataError
from raymon.protos.data_pb2 import DatasetType
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.training.input.readers import columns_of

_log = logging.getLogger("raymon")

TRAIN = "train"
EVAL = "eval"

Datasets = Mapping[str, Any]
"""A `ray.data.Dataset`, an iterable, or a function that makes one, by `TRAIN` or `EVAL`."""


def is_ray_dataset(data: object) -> bool:
    """Returns whether data is a `ray.data.Dataset`, without importing Ray."""
    return any(
        base.__name__ == "Dataset" and base.__module__.startswith("ray.data")
        for base in type(data).__mro__
    )


def title(name: str) -> str:
    """Returns the name of a dataset in messages."""
    return f'datasets["{name}"]'


def check_datasets(datasets: Datasets, config: PipelineConfig, features: list[Feature]) -> None:
    """Checks what can be seen of datasets before they are read.

    Raises:
        ConfigError: A name is unknown.
        DataError: A dataset cannot give rows, or its columns are not those of the config.
    """
    for name, data in datasets.items():
        if name not in (TRAIN, EVAL):
            near = difflib.get_close_matches(name, (TRAIN, EVAL), n=1)
            hint = f'did you mean "{near[0]}"?' if near else f'there are "{TRAIN}" and "{EVAL}"'
            raise ConfigError(f"{title(name)}: no dataset of a run; {hint}")
        if is_ray_dataset(data):
            schema = data.schema()
            if schema is not None and isinstance(schema.base_schema, pa.Schema):
                columns = columns_of(config, features, evaluation=name == EVAL)
                check_schema(schema.base_schema, title(name), columns)
        elif not isinstance(data, Iterable):
            _check_function(data, name, config.ray_config.num_workers)


def dataset_reader(
    datasets: Datasets,
    name: str,
    config: PipelineConfig,
    features: list[Feature],
    rank: int,
    world_size: int,
) -> DatasetReader:
    """Makes the reader of a dataset for one rank."""
    data = config.data_config
    if data.WhichOneof("sampler") is not None:
        raise ConfigError(
            f"data_config.{data.WhichOneof('sampler')}: raymon does not have samplers for "
            f"{title(name)} yet; give files, with dataset_type: ParquetDataset for those of Ray"
        )
    evaluation = name == EVAL
    size = data.eval_batch_size or data.batch_size
    return DatasetReader(
        datasets[name],
        columns_of(config, features, evaluation=evaluation),
        name=title(name),
        batch_size=size if evaluation else share_of_batch(data, rank, world_size),
        rank=rank,
        world_size=world_size,
        drop_remainder=data.drop_remainder and not evaluation,
        min_rows=0 if evaluation else -(-least_rows(data, world_size) // world_size),
        ahead=data.num_workers > 0,
    )


def log_limits(datasets: Datasets, config: PipelineConfig) -> None:
    """Logs what a run on these datasets cannot guarantee."""
    data = datasets.get(TRAIN)
    by_ray = is_ray_dataset(data) or reads_files_by_ray(datasets, config)
    if by_ray:
        _log.info(
            "%s: ray.data promises no order of rows: a run that goes on in an epoch passes over as "
            "many rows as it was trained on, which need not be the same",
            title(TRAIN),
        )
    elif isinstance(data, Iterable) and not has_state(data):
        _log.info(
            "%s: has no state_dict and load_state_dict: a run that goes on in an epoch begins it "
            "anew and passes over as many rows as it was trained on",
            title(TRAIN),
        )
    if TRAIN in datasets and config.train_input_path:
        _log.info("train_input_path: not read; %s takes its place", title(TRAIN))
    if EVAL in datasets and config.eval_input_path:
        _log.info("eval_input_path: not read; %s takes its place", title(EVAL))
    if data is not None and not by_ray and config.data_config.shuffle:
        _log.warning("data_config.shuffle: has no effect: %s has its own order", title(TRAIN))


def reads_files_by_ray(datasets: Datasets, config: PipelineConfig) -> bool:
    """Returns whether `ray.data` reads the training files."""
    return TRAIN not in datasets and config.data_config.dataset_type == DatasetType.RayDataset


def _check_function(data: object, name: str, num_workers: int) -> None:
    if not callable(data):
        raise DataError(
            f"{title(name)}: is a {type(data).__name__}; a dataset is a ray.data.Dataset, an "
            "iterable, or a function that makes one"
        )
    wanted = wanted_arguments(data)
    unknown = [argument for argument, needed in wanted.items() if needed]
    unknown = [argument for argument in unknown if argument not in ARGUMENTS]
    if unknown:
        raise DataError(
            f"{title(name)}: the function needs {', '.join(unknown)}; it may ask for "
            f"{', '.join(ARGUMENTS)}"
        )
    if num_workers > 1 and "rank" not in wanted:
        raise DataError(
            f"{title(name)}: the function does not ask for its rank, so {num_workers} workers "
            "would read the same rows; add the arguments rank and world_size, and give each its "
            "part"
        )
