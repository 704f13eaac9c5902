"""Fields that have no effect in raymon, and are taken all the same: each is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from raymon.config.rules import Rules
from raymon.protos.pipeline_pb2 import PipelineConfig

_OF_ODPS = "it is of ODPS tables"

_OF_DATA = {
    "fg_threads": "num_workers is the number of all threads that prepare batches",
    "force_base_data_group": "all features of a batch have the same rows",
    "is_orderby_partition": _OF_ODPS,
    "odps_data_quota_name": _OF_ODPS,
    "odps_data_compression": _OF_ODPS,
}
"""Fields of the data that have no effect, and why."""

_TYPES = ("string", "int32", "int64", "float", "double")


def validate_unused(config: PipelineConfig, rules: Rules) -> None:
    """Warns about fields that have no effect.

    Args:
        config: The config.
        rules: Rules of its `data_config`.
    """
    data = config.data_config
    for name, why in _OF_DATA.items():
        rules.warn(data.HasField(name), name, why)
    rules.warn(not data.in_order, "in_order", "batches always come in order")
    for own in _features(Rules(rules.source, config, "")):
        if own.knows("fg_value_type"):
            own.one_of("fg_value_type", _TYPES)
            why = "the same value has the same id, whatever its type"
            own.warn(own.has("fg_value_type"), "fg_value_type", why)


def _features(rules: Rules, name: str = "feature_configs") -> Iterator[Rules]:
    """Yields the rules of the blocks of features, also of those in a sequence."""
    configs: Any = rules.value(name)
    for index, config in enumerate(configs):
        kind = config.WhichOneof("feature")
        if kind is not None:
            own = rules.inner_item(name, index).inner(kind)
            yield own
            if own.knows("features"):
                yield from _features(own, "features")
