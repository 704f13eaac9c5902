"""What is changed in a known config to run it on made data: paths, steps, and sizes of tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.known_configs.blocks import Block, many, one

_SIZES = ("num_buckets", "hash_bucket_size")
_INNER = (("zch", "zch_size"), ("dynamicemb", "max_capacity"))
_ROWS = 64


def of_a_short_run(config: Block, model_dir: Path) -> dict[str, Any]:
    """Returns overrides by which a run in this process takes ten steps."""
    return {
        "model_dir": str(model_dir),
        "train_config.num_epochs": "",
        "train_config.num_steps": 10,
        "train_config.save_checkpoints_epochs": "",
        "train_config.save_checkpoints_steps": 5,
        "train_config.log_step_count_steps": 5,
        "train_config.use_tensorboard": "false",
        "data_config.batch_size": 32,
        "data_config.num_workers": 0,
        "ray_config.num_workers": 0,
        **without_odps(config),
        **few_samples(config),
        **small_tables(config),
    }


def without_odps(config: Block) -> dict[str, str]:
    """Returns overrides by which Parquet is read, and newer fields are left out."""
    odps = [name for name in one(config, "data_config") if name.startswith("odps_")]
    cleared = {f"data_config.{name}": "" for name in odps}
    if "summaries_set" in one(config, "model_config"):
        cleared["model_config.summaries_set"] = ""
    for place, feature in _features(config):
        if "use_weight" in feature:
            cleared[f"{place}.use_weight"] = ""
    return {"data_config.dataset_type": "ParquetDataset", **cleared}


def few_samples(config: Block) -> dict[str, int]:
    """Returns overrides by which few items are sampled."""
    overrides = {}
    for name in one(config, "data_config"):
        if name.endswith("sampler"):
            overrides[f"data_config.{name}.num_sample"] = 8
    return overrides


def as_set(overrides: Mapping[str, Any]) -> list[str]:
    """Returns overrides as a user writes them after --set; an empty value clears a field."""
    return [f"{field}={value}" for field, value in overrides.items()]


def small_tables(config: Block) -> dict[str, Any]:
    """Returns overrides by which no table has more than a few rows."""
    overrides: dict[str, Any] = {}
    for place, feature in _features(config):
        for size in _SIZES:
            if int(one(feature, size, 0)) > _ROWS:
                overrides[f"{place}.{size}"] = _ROWS
        for inner, size in _INNER:
            if inner in feature and int(one(one(feature, inner), size)) > _ROWS:
                overrides[f"{place}.{inner}.{size}"] = _ROWS
    return overrides


def _features(config: Block) -> Iterator[tuple[str, Block]]:
    for index, feature in enumerate(many(config, "feature_configs")):
        ((kind, value),) = feature.items()
        place = f"feature_configs[{index}].{kind}"
        block = value[0] if isinstance(value, list) else value
        yield place, block
        for number, inner in enumerate(many(block, "features")):
            ((kind, value),) = inner.items()
            one_of = value[0] if isinstance(value, list) else value
            yield f"{place}.features[{number}].{kind}", one_of
