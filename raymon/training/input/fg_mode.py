"""The fg_mode of a run: given by its config, or else inferred from its data."""

from __future__ import annotations

import logging
from collections.abc import Collection

from raymon.config import feature_blocks, read_saved, skips_bad_files
from raymon.data import (
    Columns,
    build_features,
    format_of,
    open_table,
    pipeline_features,
    same_ids,
    why_raw,
)
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


def resolve_fg_mode(
    config: PipelineConfig, datasets: Collection[str], *, resumed: bool = False
) -> PipelineConfig:
    """Returns the config with the fg_mode of the run, and logs it if it was not given.

    Args:
        config: Config with absolute paths.
        datasets: Names of the datasets that replace files.
        resumed: Whether the run continues; then it keeps its fg_mode.

    Raises:
        ConfigError: The run had another fg_mode.
    """
    data = config.data_config
    before = _saved_mode(storage_path(config.model_dir)) if resumed else None
    if data.HasField("fg_mode"):
        if before is not None and not same_ids(before, data.fg_mode):
            modes = [FgMode.Name(mode) for mode in (data.fg_mode, before)]
            raise ConfigError(
                f"data_config.fg_mode: is {modes[0]}, but the run in {config.model_dir} began with "
                f"{modes[1]}, and its ids are others; train anew in another model_dir"
            )
        return config
    if before is None:
        mode, why = _mode_of_data(config, datasets)
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


def why_ids_differ(config: PipelineConfig, model_dir: StoragePath) -> str | None:
    """Returns why the ids of this run differ from those of another, whose weights it loads.

    Args:
        config: Config of this run.
        model_dir: Directory of the other run.

    Returns:
        The reason; None if the ids may be the same.
    """
    before = _saved_mode(model_dir)
    ours = config.data_config
    if before is None or not ours.HasField("fg_mode"):
        return None
    if same_ids(before, ours.fg_mode):
        return None
    modes = [FgMode.Name(mode) for mode in (before, ours.fg_mode)]
    return f"its ids are those of fg_mode {modes[0]}, here it is {modes[1]}: rows are other values"


def _saved_mode(model_dir: StoragePath) -> FgMode | None:
    try:
        data = read_saved(model_dir).data_config
    except (ConfigError, RunError):
        return None
    return data.fg_mode if data.HasField("fg_mode") else None


def _mode_of_data(config: PipelineConfig, datasets: Collection[str]) -> tuple[FgMode, str]:
    """Returns the mode that the data shows, and the reason for it."""
    encoded = PipelineConfig()
    encoded.CopyFrom(config)
    encoded.data_config.fg_mode = FgMode.FG_NONE
    try:
        raw_features = build_features(config.feature_configs)
    except ConfigError:
        # A feature without an expression can only be encoded already.
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
            # Errors in the data are reported where it is checked.
            why = None
    if why is None:
        return FgMode.FG_NONE, _ENCODED
    return FgMode.FG_DAG, f"features are made from raw columns (FG_DAG), as {why}"


def _unused(config: PipelineConfig) -> list[str]:
    """Returns what has no effect on encoded ids: boundaries and normalizers of raw features."""
    found = []
    for block in feature_blocks(config.feature_configs):
        if block.kind != "raw_feature":
            continue
        raw = block.config
        if raw.boundaries:
            found.append(f"the boundaries of {raw.feature_name}")
        elif raw.normalizer:
            found.append(f"the normalizer of {raw.feature_name}")
    return found
