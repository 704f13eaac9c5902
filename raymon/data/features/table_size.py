"""The number of rows of a feature's table, and the source of its ids."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from raymon.data.features.embedding_spec import ConfigWithIds
from raymon.data.features.growth import Growth, dynamic_growth, growth_of
from raymon.data.features.vocabulary import (
    FIRST,
    Vocabulary,
    ids_in_order,
    read_values,
    read_values_and_ids,
    vocabulary_as_listed,
    vocabulary_with_reserved_ids,
)
from raymon.errors import ConfigError

SOURCES = (
    "hash_bucket_size",
    "num_buckets",
    "vocab_list",
    "vocab_dict",
    "vocab_file",
    "zch",
    "dynamicemb",
)
"""Fields that say where ids come from."""


@dataclass(frozen=True)
class TableSize:
    """The number of rows of a table, and the source of its ids.

    Attributes:
        rows: Rows of the table.
        hash_bucket_size: Number of hash buckets; None if ids are not hashes.
        num_buckets: Number of integers that are ids themselves; None if values are others.
        vocabulary: Ids of listed values; None if there is no list.
        growth: How ids get rows of their own as they are met; None if each has its row.
    """

    rows: int
    hash_bucket_size: int | None = None
    num_buckets: int | None = None
    vocabulary: Vocabulary | None = None
    growth: Growth | None = None


def given_sources(config: ConfigWithIds) -> list[str]:
    """Returns the fields of a config that say where ids come from, and are given."""
    given = {descriptor.name for descriptor, _ in config.ListFields()}
    return [field for field in SOURCES if field in given]


def table_size(
    config: ConfigWithIds,
    place: str,
    form: Callable[[str], str],
) -> TableSize:
    """Returns the size of the table of a feature.

    Args:
        config: Config of the feature.
        place: Path of the feature in the config, for messages.
        form: Function from a value to its canonical form, spelled out.

    Raises:
        ConfigError: There is not exactly one source of ids, or it is wrong.
    """
    known = [f for f in SOURCES if f in config.DESCRIPTOR.fields_by_name]
    sizes = given_sources(config)
    if len(sizes) != 1:
        raise ConfigError(
            f"{place}: has {' and '.join(sizes) or 'no size of its table'}; give exactly one of "
            f"{', '.join(known[:-1])} and {known[-1]}"
        )
    (source,) = sizes
    given = {descriptor.name for descriptor, _ in config.ListFields()}
    if not source.startswith("vocab_") and "default_bucketize_value" in given:
        raise ConfigError(
            f"{place}.default_bucketize_value: is the id of values that a vocabulary does not "
            f"list, and {source} has none; leave it out"
        )
    if source in ("hash_bucket_size", "num_buckets"):
        rows = getattr(config, source)
        if not 0 < rows < 2**63:
            raise ConfigError(f"{place}.{source}: is {rows}; must be at least 1")
        if source == "num_buckets":
            return TableSize(rows, num_buckets=rows)
        return TableSize(rows, hash_bucket_size=rows)
    if source == "zch":
        growth = growth_of(config.zch, f"{place}.zch")
        return TableSize(config.zch.zch_size, growth=growth)
    if source == "dynamicemb":
        growth = dynamic_growth(config.dynamicemb, f"{place}.dynamicemb")
        return TableSize(config.dynamicemb.max_capacity + 1, growth=growth)
    try:
        vocabulary = _vocabulary(config, source, form)
    except ValueError as error:
        raise ConfigError(f"{place}.{source}: {error}") from None
    return TableSize(vocabulary.rows, vocabulary=vocabulary)


def _vocabulary(
    config: ConfigWithIds,
    source: str,
    form: Callable[[str], str],
) -> Vocabulary:
    own = config.HasField("default_bucketize_value")
    if source == "vocab_list":
        listed = ids_in_order(config.vocab_list, 0 if own else FIRST)
    elif source == "vocab_dict":
        listed = dict(config.vocab_dict)
    else:
        path = config.vocab_file
        listed = read_values_and_ids(path) if own else read_values(path)
    if own:
        return vocabulary_as_listed(listed, config.default_bucketize_value, form)
    # As in TorchEasyRec: a default_value has id 0 whatever a vocab_dict says.
    listed_default = source != "vocab_dict"
    return vocabulary_with_reserved_ids(
        listed, config.default_value, form, listed_default=listed_default
    )
