"""The fg_mode of a run: as its config says, or else as its data shows."""

from __future__ import annotations

import logging
from collections.abc import Collection

from raymon.config import read_saved, skips_bad_files
from raymon.data import Columns, build_features, format_of, open_table, pipeline_features, why_raw
from raymon.errors import ConfigError, DataError, RunError
from raymon.protos.data_pb2 import FgMode
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.storage import StoragePath, storage_path
from raymon.training.input.datasets import TRAIN

_log = logging.getLogger("raymon")

_ENCODED = (
    "columns hold encoded ids and have the names of the features (FG_NONE), id 3 is row 3; set "
    "data_config.fg_mode: FG_DAG where they are raw"
)


def with_fg_mode(
    config: PipelineConfig, datasets: Collection[str], *, resumed: bool = False
) -> PipelineConfig:
    """The config with the fg_mode that the run has, and a line in the log where the config does not
    say it.

    Args:
        config: With absolute paths.
        datasets: Those in place of files.
        resumed: The run goes on: it has the fg_mode that it had.

    Raises:
        ConfigError: The run had another one.
    """
    data = config.data_config
    before = _saved(storage_path(config.model_dir)) if resumed else None
    if data.HasField("fg_mode"):
        if before is not None and (before == FgMode.FG_NONE) != (data.fg_mode == FgMode.FG_NONE):
            modes = [FgMode.Name(mode) for mode in (data.fg_mode, before)]
            raise ConfigError(
                f"data_config.fg_mode: is {modes[0]}, but the run in {config.model_dir} began with "
                f"{modes[1]}, and its ids are others; train anew in another model_dir"
            )
        return config
    if before is None:
        mode, why = _shown(config, datasets)
    else:
        mode, why = before, f"as the run began, {FgMode.Name(before)}"
    unused = _unused(config) if mode == FgMode.FG_NONE and before is None else []
    if unused:
        why = f"{why}; as it is, there is no effect of {', '.join(unused)}"
    _log.log(
        logging.WARNING if unused else logging.INFO, "data_config.fg_mode is not given: %s", why
    )
    result = PipelineConfig()
    result.CopyFrom(config)
    result.data_config.fg_mode = mode
    return result


def other_ids(config: PipelineConfig, model_dir: StoragePath) -> str | None:
    """Why the ids of a run are not those of another one, whose weights it takes; None: they may be
    the same."""
    before = _saved(model_dir)
    ours = config.data_config
    if before is None or not ours.HasField("fg_mode"):
        return None
    if (before == FgMode.FG_NONE) == (ours.fg_mode == FgMode.FG_NONE):
        return None
    modes = [FgMode.Name(mode) for mode in (before, ours.fg_mode)]
    return f"its ids are those of fg_mode {modes[0]}, here it is {modes[1]}: rows are other values"


def _saved(model_dir: StoragePath) -> FgMode | None:
    try:
        data = read_saved(model_dir).data_config
    except (ConfigError, RunError):
        return None
    return data.fg_mode if data.HasField("fg_mode") else None


def _shown(config: PipelineConfig, datasets: Collection[str]) -> tuple[FgMode, str]:
    """The mode that the data shows, and why it is that one."""
    encoded = PipelineConfig()
    encoded.CopyFrom(config)
    encoded.data_config.fg_mode = FgMode.FG_NONE
    try:
        raw_features = build_features(config.feature_configs)
    except ConfigError:
        # A feature without an expression can only be there already.
        return FgMode.FG_NONE, _ENCODED
    if TRAIN in datasets:
        why: str | None = (
            "the rows of a dataset are not looked at, and all features say their columns"
        )
    else:
        try:
            skipped: list[str] | None = [] if skips_bad_files(config) else None
            features = pipeline_features(encoded)
            files = open_table(
                config.train_input_path,
                Columns(features, {}),
                format_of(config.data_config),
                skipped,
            )
            why = why_raw(features, raw_features, files)
        except DataError:
            # What is wrong with the data is told by what checks it.
            why = None
    if why is None:
        return FgMode.FG_NONE, _ENCODED
    return FgMode.FG_DAG, f"features are made from raw columns (FG_DAG), as {why}"


def _unused(config: PipelineConfig) -> list[str]:
    """What would change the numbers of raw columns: the normalizer or boundaries of features."""
    found = []
    for feature in config.feature_configs:
        raw = feature.raw_feature
        if raw.boundaries:
            found.append(f"the boundaries of {raw.feature_name}")
        elif raw.normalizer:
            found.append(f"the normalizer of {raw.feature_name}")
    return found
