"""Features whose columns hold what they were before they became ids or buckets."""

from __future__ import annotations

from google.protobuf.message import Message

from raymon.data.features.embedding_spec import OF_TABLES
from raymon.data.features.table_size import SOURCES
from raymon.errors import ConfigError
from raymon.protos import feature_pb2

_IDS = ("id_feature", "combo_feature", "tokenize_feature", "bool_mask_feature")
"""Kinds whose values become ids; those of others may be numbers."""

_OF_EMBEDDINGS = frozenset({"boundaries", "autodis", "mlp"})
"""Fields that give numbers an embedding."""

_GENERATION = ("expression", "separator", "normalizer", "stub_type", "value_dim")
"""Fields that say how values are made of columns, which is done."""


def unbucketized(kind: str, config: Message, separator: str, place: str) -> tuple[str, Message]:
    """Returns the feature that makes ids, buckets or numbers of a column with the feature's name.

    Args:
        kind: Kind of the feature.
        config: Its block.
        separator: Text between the values of one string.
        place: Path of the block, for messages.

    Returns:
        The kind of a feature of one column, and its block.

    Raises:
        ConfigError: The feature is a sequence, or has values that no column can hold.
    """
    if kind.startswith("sequence_"):
        raise ConfigError(
            f"{place}: raymon does not have FG_BUCKETIZE for sequences yet; give "
            "data_config.fg_mode: FG_DAG, or FG_NONE where columns hold ids"
        )
    given = {field.name: value for field, value in config.ListFields()}
    is_ids = kind in _IDS or any(source in given for source in SOURCES)
    made = feature_pb2.IdFeature() if is_ids else feature_pb2.RawFeature()
    # Numbers that stay numbers have no table, and need not say so here.
    has_table = is_ids or kind == "raw_feature" or not _OF_EMBEDDINGS.isdisjoint(given)
    for name, value in given.items():
        field = made.DESCRIPTOR.fields_by_name.get(name)
        if field is None or name in _GENERATION or (not has_table and name in OF_TABLES):
            continue
        if isinstance(value, Message):
            getattr(made, name).CopyFrom(value)
        elif field.message_type is not None:
            getattr(made, name).update(value)
        elif field.is_repeated:
            getattr(made, name).extend(value)
        else:
            setattr(made, name, value)
    default = getattr(config, "default_value", "")
    if default:
        made.default_value = default
    made.expression = f"item:{given['feature_name']}"
    made.separator = separator
    if isinstance(made, feature_pb2.RawFeature):
        made.value_dim = max(1, given.get("value_dim", 1))
        return "raw_feature", made
    return "id_feature", made
