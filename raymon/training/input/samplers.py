"""The samplers of a config, with their tables."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from raymon.config import group_features, is_retrieval, tower_groups
from raymon.data import (
    Feature,
    Sampler,
    SamplerSpec,
    SamplerTables,
    file_versions,
    item_features,
    sampler_spec,
)
from raymon.errors import ConfigError
from raymon.protos.pipeline_pb2 import PipelineConfig

_TRAINING, _EVALUATION = 0, 1

_log = logging.getLogger("raymon")

_kept: dict[str, SamplerTables] = {}
"""The tables that were read last, which training and evaluation in one process share."""


def train_sampler(config: PipelineConfig, features: Sequence[Feature]) -> Sampler | None:
    """Returns the sampler for training; None if the config has none.

    Raises:
        ConfigError: An item feature is made of what is no attribute of an item, or a table cannot
            be read, or has a value that is wrong.
    """
    return _sampler(config, features, _TRAINING)


def eval_sampler(config: PipelineConfig, features: Sequence[Feature]) -> Sampler | None:
    """Returns the sampler for an evaluation, which draws the same in each; see `train_sampler`."""
    return _sampler(config, features, _EVALUATION)


def sampler_keys(config: PipelineConfig) -> tuple[str, ...]:
    """Returns the columns of the data that the sampler of a config needs."""
    spec = sampler_spec(config.data_config)
    return () if spec is None else spec.keys


def check_item_features(config: PipelineConfig, features: Sequence[Feature]) -> None:
    """Checks that the sampler gives an item all that the tower of items takes.

    Raises:
        ConfigError: A feature of this tower is made of what is no attribute.
    """
    spec = sampler_spec(config.data_config)
    if spec is None or not is_retrieval(config.model_config):
        return
    made = {feature.name for feature in item_features(features, spec.attributes)}
    by_name = {feature.name: feature for feature in features}
    groups = tower_groups(config.model_config)["item"]
    for group in config.model_config.feature_groups:
        for name in group_features(group) if group.group_name in groups else ():
            if name not in made:
                columns = by_name[name].columns
                missing = [column for column in columns if column not in spec.attributes]
                raise ConfigError(
                    f'{spec.place}.attr_fields: have no {missing[0]}, of which feature "{name}" of '
                    f'group "{group.group_name}" is made; a negative needs all features of an item'
                )


def warn_of_attributes(config: PipelineConfig, features: Sequence[Feature]) -> None:
    """Warns of attributes of items of which no feature is made that items have."""
    spec = sampler_spec(config.data_config)
    if spec is None or not is_retrieval(config.model_config):
        return
    used = {c for each in item_features(features, spec.attributes) for c in each.columns}
    for index, name in enumerate(spec.attributes):
        if name not in used:
            place = f"{spec.place}.attr_fields[{index}]"
            _log.warning('%s: has no effect: no feature of items is made of "%s"', place, name)


def _sampler(config: PipelineConfig, features: Sequence[Feature], salt: int) -> Sampler | None:
    spec = sampler_spec(config.data_config, evaluation=salt == _EVALUATION)
    if spec is None:
        return None
    check_item_features(config, features)
    return Sampler(spec, _tables(spec, features), config.train_config.seed, salt)


def _tables(spec: SamplerSpec, features: Sequence[Feature]) -> SamplerTables:
    made = item_features(features, spec.attributes)
    paths = [spec.item_path, spec.positive_path, spec.hard_path]
    versions = [file_versions(path) for path in paths if path is not None]
    key = repr((made, versions, spec.attributes, spec.attr_delimiter, spec.field_delimiter))
    if key not in _kept:
        _kept.clear()
        _kept[key] = SamplerTables(spec, made)
    return _kept[key]
