"""From the feature_configs of a pipeline to features."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from raymon.data.combo_feature import ComboFeature
from raymon.data.feature import EmbeddingSpec, Feature
from raymon.data.id_feature import IdFeature
from raymon.data.normalizer import Normalizer, parse_normalizer
from raymon.data.raw_feature import RawFeature
from raymon.data.vocabulary import FIRST, numbered, read_values
from raymon.errors import ConfigError
from raymon.protos import feature_pb2

_WithTable = feature_pb2.IdFeature | feature_pb2.RawFeature | feature_pb2.ComboFeature

_SIDES = ("user", "item", "context")


def build_features(configs: Sequence[feature_pb2.FeatureConfig]) -> list[Feature]:
    """The features of a pipeline, in the order of the config.

    Raises:
        ConfigError: a feature is not described rightly. The message begins with the path of the
            field, as in `feature_configs[3].id_feature.pooling: ...`.
    """
    features: list[Feature] = []
    places: dict[str, str] = {}
    tables: dict[str, tuple[str, EmbeddingSpec]] = {}
    for index, config in enumerate(configs):
        kind = config.WhichOneof("feature")
        place = f"feature_configs[{index}].{kind}"
        feature: Feature
        if kind == "id_feature":
            feature = _id_feature(config.id_feature, place)
        elif kind == "raw_feature":
            feature = _raw_feature(config.raw_feature, place)
        elif kind == "combo_feature":
            feature = _combo_feature(config.combo_feature, place)
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
            _check_shared(tables, feature.embedding, place)
        features.append(feature)
    return features


def _check_shared(
    tables: dict[str, tuple[str, EmbeddingSpec]], spec: EmbeddingSpec, place: str
) -> None:
    first_place, first = tables.setdefault(spec.name, (place, spec))
    ours, theirs = (
        (s.num_embeddings, s.dim, "trainable" if s.trainable else "frozen") for s in (spec, first)
    )
    if ours != theirs:
        raise ConfigError(
            f'{place}.embedding_name: table "{spec.name}" is {ours[0]} x {ours[1]}, {ours[2]} '
            f"here, but {theirs[0]} x {theirs[1]}, {theirs[2]} in {first_place}; features that "
            "share a table must agree"
        )


def _id_feature(config: feature_pb2.IdFeature, place: str) -> IdFeature:
    name = _name(config.feature_name, place)
    column = _column(config.expression, place)
    size = _size(config, place)
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
    return IdFeature(
        name=name,
        columns=(column,),
        value_dim=0,
        embedding=EmbeddingSpec(
            name=_table(config, place),
            num_embeddings=size.rows,
            dim=_dim(config, place),
            pooling=_pooling(config.pooling, place),
            trainable=config.trainable,
        ),
        hash_bucket_size=size.hash_bucket_size,
        num_buckets=buckets,
        vocab=size.vocab,
        default_value=default,
        separator=None if config.value_dim == 1 else _separator(config.separator, place),
        weighted=config.weighted,
    )


def _combo_feature(config: feature_pb2.ComboFeature, place: str) -> ComboFeature:
    name = _name(config.feature_name, place)
    columns = tuple(_column(expression, place) for expression in config.expression)
    if len(columns) < 2 or len(set(columns)) < len(columns):
        raise ConfigError(f"{place}.expression: must name two columns or more, each once")
    size = _size(config, place)
    return ComboFeature(
        name=name,
        columns=columns,
        value_dim=0,
        embedding=EmbeddingSpec(
            name=_table(config, place),
            num_embeddings=size.rows,
            dim=_dim(config, place),
            pooling=_pooling(config.pooling, place),
            trainable=config.trainable,
        ),
        hash_bucket_size=size.hash_bucket_size,
        vocab=size.vocab,
        default_value=config.default_value,
        separator=_separator(config.separator, place),
    )


@dataclass(frozen=True)
class _Size:
    """Rows of a table, and where its ids come from."""

    rows: int
    hash_bucket_size: int | None = None
    vocab: Mapping[str, int] = field(default_factory=dict)


def _size(config: feature_pb2.IdFeature | feature_pb2.ComboFeature, place: str) -> _Size:
    fields = ["hash_bucket_size", "num_buckets", "vocab_list", "vocab_dict", "vocab_file"]
    known = [f for f in fields if f in config.DESCRIPTOR.fields_by_name]
    given = {descriptor.name for descriptor, _ in config.ListFields()}
    sizes = [f for f in known if f in given]
    if len(sizes) != 1:
        raise ConfigError(
            f"{place}: has {' and '.join(sizes) or 'no size of its table'}; give exactly one of "
            f"{', '.join(known[:-1])} and {known[-1]}"
        )
    (source,) = sizes
    if source in ("hash_bucket_size", "num_buckets"):
        rows = getattr(config, source)
        if not 0 < rows < 2**63:
            raise ConfigError(f"{place}.{source}: is {rows}; must be at least 1")
        return _Size(rows, rows if source == "hash_bucket_size" else None)
    try:
        vocab = _vocabulary(config, source)
    except ValueError as error:
        raise ConfigError(f"{place}.{source}: {error}") from None
    return _Size(max(vocab.values()) + 1, vocab=vocab)


def _vocabulary(
    config: feature_pb2.IdFeature | feature_pb2.ComboFeature, source: str
) -> dict[str, int]:
    if source == "vocab_list":
        return numbered(config.vocab_list)
    if source == "vocab_file":
        assert isinstance(config, feature_pb2.IdFeature)
        return read_values(config.vocab_file)
    wrong = [text for text, id in config.vocab_dict.items() if not text or id < FIRST]
    if wrong:
        raise ValueError(
            f'"{wrong[0]}": {config.vocab_dict[wrong[0]]}; no value may be empty, and ids begin at '
            f"{FIRST} (0 is a missing value, 1 an unlisted one)"
        )
    return dict(config.vocab_dict)


def _raw_feature(config: feature_pb2.RawFeature, place: str) -> RawFeature:
    name = _name(config.feature_name, place)
    column = _column(config.expression, place)
    if config.value_dim < 1:
        raise ConfigError(f"{place}.value_dim: is 0; must be at least 1")
    boundaries = tuple(config.boundaries)
    if not all(map(math.isfinite, boundaries)) or any(
        low >= high for low, high in itertools.pairwise(boundaries)
    ):
        raise ConfigError(f"{place}.boundaries: must be finite and rising")
    embedding = None
    if boundaries:
        embedding = EmbeddingSpec(
            name=_table(config, place),
            num_embeddings=len(boundaries) + 1,
            dim=_dim(config, place),
            pooling=_pooling(config.pooling, place),
        )
    elif config.HasField("embedding_dim") or config.HasField("embedding_name"):
        field = "embedding_dim" if config.HasField("embedding_dim") else "embedding_name"
        raise ConfigError(f"{place}.{field}: a raw_feature has embeddings only with boundaries")
    return RawFeature(
        name=name,
        columns=(column,),
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
    side, _, column = expression.partition(":")
    if side not in _SIDES or not column:
        raise ConfigError(
            f'{place}.expression: "{expression}" names no column; write "user:COLUMN", '
            '"item:COLUMN" or "context:COLUMN"'
        )
    return column


def _table(config: _WithTable, place: str) -> str:
    if not config.HasField("embedding_name"):
        return config.feature_name
    if not config.embedding_name:
        raise ConfigError(f"{place}.embedding_name: is empty; name a table or leave it out")
    return config.embedding_name


def _dim(config: _WithTable, place: str) -> int:
    if config.embedding_dim < 1:
        raise ConfigError(f"{place}.embedding_dim: must be given and at least 1")
    return config.embedding_dim


def _pooling(pooling: str, place: str) -> Literal["sum", "mean"]:
    if pooling == "sum":
        return "sum"
    if pooling == "mean":
        return "mean"
    raise ConfigError(f'{place}.pooling: "{pooling}" is not a pooling; use "sum" or "mean"')


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
    parts = config.default_value.split(config.separator) if config.separator else []
    try:
        numbers = tuple(map(float, parts))
    except ValueError:
        numbers = ()
    if len(numbers) == 1:
        numbers *= config.value_dim
    if len(numbers) != config.value_dim or not all(map(math.isfinite, numbers)):
        raise ConfigError(
            f'{place}.default_value: "{config.default_value}" is not a finite number'
            + (f" or {config.value_dim} of them" if config.value_dim > 1 else "")
        )
    return numbers


def _is_id(text: str, size: int) -> bool:
    return text.isascii() and text.isdigit() and int(text) < size
