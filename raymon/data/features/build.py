"""Builds features from the `feature_configs` of a pipeline."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from raymon.data.features.combo_feature import ComboFeature
from raymon.data.features.embedding_spec import (
    OF_TABLES,
    ConfigWithTable,
    check_shared,
    embedding_spec,
)
from raymon.data.features.encoded_feature import EncodedIds, EncodedNumbers
from raymon.data.features.feature import EmbeddingSpec, Feature
from raymon.data.features.id_feature import IdFeature
from raymon.data.features.normalizer import Normalizer, parse_normalizer
from raymon.data.features.raw_feature import RawFeature
from raymon.data.features.table_size import table_size
from raymon.data.values.canonical import canonical_text, spells_integer
from raymon.data.values.hashing import raw_ids
from raymon.errors import ConfigError
from raymon.protos import feature_pb2

Constraints = feature_pb2.ParameterConstraints | None
"""Constraints of the tables of a config; None for none."""

_SIDES = ("user", "item", "context")


@dataclass(frozen=True)
class Encoding:
    """The layout of columns that hold ids and numbers already.

    Attributes:
        separator: Text between the values of one string.
    """

    separator: str = "\x03"


def build_features(
    configs: Sequence[feature_pb2.FeatureConfig],
    encoding: Encoding | None = None,
    constraints: Constraints = None,
) -> list[Feature]:
    """Returns the features of a pipeline, in the order of the config.

    Args:
        configs: Configs of the features.
        encoding: Layout of columns that have the names of the features and hold ids and numbers
            already; None if features are made from the raw columns of their expressions.
        constraints: Constraints of tables whose features have none; None for no constraints.

    Raises:
        ConfigError: A feature is described wrongly. The message begins with the path of the field,
            as in `feature_configs[3].id_feature.pooling: ...`.
    """
    features: list[Feature] = []
    places: dict[str, str] = {}
    tables: dict[str, tuple[str, EmbeddingSpec]] = {}
    for index, config in enumerate(configs):
        kind = config.WhichOneof("feature")
        place = f"feature_configs[{index}].{kind}"
        feature: Feature
        if kind == "id_feature":
            feature = _id_feature(config.id_feature, place, encoding, constraints)
        elif kind == "raw_feature":
            feature = _raw_feature(config.raw_feature, place, encoding, constraints)
        elif kind == "combo_feature":
            feature = _combo_feature(config.combo_feature, place, encoding, constraints)
        else:
            raise ConfigError(
                f"feature_configs[{index}]: holds no feature; give it an id_feature, "
                "raw_feature or combo_feature"
            )
        if feature.name in places:
            raise ConfigError(
                f'{place}.feature_name: "{feature.name}" is also the name of '
                f"{places[feature.name]}; names must differ"
            )
        places[feature.name] = place
        if feature.embedding is not None:
            check_shared(tables, feature.embedding, place)
        features.append(feature)
    return features


def _id_feature(
    config: feature_pb2.IdFeature,
    place: str,
    encoding: Encoding | None,
    constraints: Constraints,
) -> Feature:
    name = _name(config.feature_name, place)
    size = table_size(config, place, canonical_text)
    if config.value_dim > 1:
        raise ConfigError(
            f"{place}.value_dim: is {config.value_dim}; must be 1 (one value a row) or 0 (any "
            "number)"
        )
    default = config.default_value
    if config.weighted and config.pooling != "sum":
        raise ConfigError(f'{place}.pooling: is "{config.pooling}"; weighted values go with "sum"')
    buckets = config.num_buckets if config.HasField("num_buckets") else None
    if buckets is not None and default and not _is_id(default, buckets):
        raise ConfigError(
            f'{place}.default_value: "{default}" is not an integer in [0, {buckets}) (num_buckets)'
        )
    if size.growth is not None and default:
        try:
            raw_ids(pa.array([default]))
        except ValueError as error:
            raise ConfigError(f"{place}.default_value: {error}") from None
    embedding = embedding_spec(config, place, size.rows, constraints, size.growth)
    if encoding is not None:
        return _encoded_ids(config, embedding, place, encoding, weighted=config.weighted)
    return IdFeature(
        name=name,
        columns=(_column(config.expression, place),),
        value_dim=0,
        embedding=embedding,
        hash_bucket_size=size.hash_bucket_size,
        num_buckets=buckets,
        vocabulary=size.vocabulary,
        default_value=default,
        separator=None if config.value_dim == 1 else _separator(config.separator, place),
        weighted=config.weighted,
    )


def _combo_feature(
    config: feature_pb2.ComboFeature,
    place: str,
    encoding: Encoding | None,
    constraints: Constraints,
) -> Feature:
    name = _name(config.feature_name, place)
    parts = len(config.expression)

    def form(text: str) -> str:
        values = text.split("_")
        # If values contain "_", it is unknown where one ends, and the text stays as it is.
        return "_".join(map(canonical_text, values)) if len(values) == parts else text

    size = table_size(config, place, form)
    embedding = embedding_spec(config, place, size.rows, constraints, size.growth)
    if encoding is not None:
        return _encoded_ids(config, embedding, place, encoding)
    columns = tuple(_column(expression, place) for expression in config.expression)
    if len(columns) < 2 or len(set(columns)) < len(columns):
        raise ConfigError(f"{place}.expression: must name two columns or more, each once")
    return ComboFeature(
        name=name,
        columns=columns,
        value_dim=0,
        embedding=embedding,
        hash_bucket_size=size.hash_bucket_size,
        vocabulary=size.vocabulary,
        default_value=config.default_value,
        separator=_separator(config.separator, place),
    )


def _encoded_ids(
    config: ConfigWithTable,
    embedding: EmbeddingSpec,
    place: str,
    encoding: Encoding,
    *,
    weighted: bool = False,
) -> EncodedIds:
    default: list[int] = []
    if config.fg_encoded_default_value:
        texts = config.fg_encoded_default_value.split(encoding.separator)
        rows = 2**63 if embedding.growth is not None else embedding.num_embeddings
        if not all(_is_id(text, rows) for text in texts):
            raise ConfigError(
                f'{place}.fg_encoded_default_value: "{config.fg_encoded_default_value}" is no id '
                f"in [0, {rows})"
            )
        default = [int(text) for text in texts]
    return EncodedIds(
        name=config.feature_name,
        columns=(config.feature_name,),
        value_dim=0,
        embedding=embedding,
        default=tuple(default),
        separator=encoding.separator,
        weighted=weighted,
    )


def _raw_feature(
    config: feature_pb2.RawFeature,
    place: str,
    encoding: Encoding | None,
    constraints: Constraints,
) -> Feature:
    name = _name(config.feature_name, place)
    if config.value_dim < 1:
        raise ConfigError(f"{place}.value_dim: is 0; must be at least 1")
    boundaries = tuple(config.boundaries)
    if not all(map(math.isfinite, boundaries)) or any(
        low >= high for low, high in itertools.pairwise(boundaries)
    ):
        raise ConfigError(f"{place}.boundaries: must be finite and rising")
    embedding = None
    if boundaries:
        embedding = embedding_spec(config, place, len(boundaries) + 1, constraints)
    for field in OF_TABLES:
        if embedding is None and config.HasField(field):
            raise ConfigError(f"{place}.{field}: a raw_feature has embeddings only with boundaries")
    if encoding is not None and embedding is not None:
        return _encoded_ids(config, embedding, place, encoding)
    if encoding is not None:
        return EncodedNumbers(
            name=name,
            columns=(name,),
            value_dim=config.value_dim,
            embedding=None,
            numbers=config.value_dim,
            default=_encoded_numbers(config, place, encoding),
            separator=encoding.separator,
        )
    return RawFeature(
        name=name,
        columns=(_column(config.expression, place),),
        value_dim=0 if boundaries else config.value_dim,
        embedding=embedding,
        numbers=config.value_dim,
        default=_default_numbers(config, place),
        separator=_separator(config.separator, place),
        normalizer=_normalizer(config, place),
        boundaries=boundaries,
    )


def _name(name: str, place: str) -> str:
    if not name:
        raise ConfigError(f"{place}.feature_name: is empty; give the feature a name")
    return name


def _column(expression: str, place: str) -> str:
    if not expression:
        raise ConfigError(
            f'{place}.expression: is missing; write "user:COLUMN", "item:COLUMN" or '
            '"context:COLUMN", or set data_config.fg_mode: FG_NONE where columns hold ids already'
        )
    side, _, column = expression.partition(":")
    if side not in _SIDES or not column:
        raise ConfigError(
            f'{place}.expression: "{expression}" names no column; write "user:COLUMN", '
            '"item:COLUMN" or "context:COLUMN"'
        )
    return column


def _separator(separator: str, place: str) -> str:
    if not separator:
        raise ConfigError(f'{place}.separator: is empty; give what is between values, such as ","')
    return separator


def _normalizer(config: feature_pb2.RawFeature, place: str) -> Normalizer | None:
    if not config.HasField("normalizer"):
        return None
    try:
        return parse_normalizer(config.normalizer)
    except ValueError as error:
        raise ConfigError(f"{place}.normalizer: {error}") from None


def _default_numbers(config: feature_pb2.RawFeature, place: str) -> tuple[float, ...]:
    return _numbers(
        config.default_value, config.separator, config.value_dim, f"{place}.default_value"
    )


def _encoded_numbers(
    config: feature_pb2.RawFeature, place: str, encoding: Encoding
) -> tuple[float, ...]:
    text = config.fg_encoded_default_value
    if not text:
        return _default_numbers(config, place)
    place = f"{place}.fg_encoded_default_value"
    return _numbers(text, encoding.separator, config.value_dim, place)


def _numbers(text: str, separator: str, count: int, place: str) -> tuple[float, ...]:
    parts = text.split(separator) if separator else []
    try:
        numbers = tuple(map(float, parts))
    except ValueError:
        numbers = ()
    if len(numbers) == 1:
        numbers *= count
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise ConfigError(
            f'{place}: "{text}" is not a finite number'
            + (f" or {count} of them" if count > 1 else "")
        )
    return numbers


def _is_id(text: str, size: int) -> bool:
    form = canonical_text(text)
    return spells_integer(form) and 0 <= int(form) < size
