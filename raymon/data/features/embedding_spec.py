"""The embedding table of a feature, from its config."""

from __future__ import annotations

from typing import Literal, TypeGuard

from raymon.config import unknown_constraint
from raymon.data.features.feature import EmbeddingSpec
from raymon.data.features.growth import Growth, dynamic_initializer
from raymon.data.features.initializer import Initializer, parse_initializer
from raymon.errors import ConfigError
from raymon.protos import feature_pb2

ConfigWithIds = (
    feature_pb2.IdFeature
    | feature_pb2.ComboFeature
    | feature_pb2.LookupFeature
    | feature_pb2.MatchFeature
    | feature_pb2.BoolMaskFeature
    | feature_pb2.RegexReplaceFeature
    | feature_pb2.CustomFeature
)
"""Configs of features whose values can become ids."""

ConfigWithNumbers = (
    feature_pb2.RawFeature
    | feature_pb2.LookupFeature
    | feature_pb2.MatchFeature
    | feature_pb2.ExprFeature
    | feature_pb2.OverlapFeature
    | feature_pb2.KvDotProduct
    | feature_pb2.CombineFeature
    | feature_pb2.CustomFeature
)
"""Configs of features that can be numbers."""

ConfigWithTable = ConfigWithIds | ConfigWithNumbers | feature_pb2.TokenizeFeature
"""Configs of features that can have a table."""

OF_TABLES = (
    "embedding_dim",
    "embedding_name",
    "embedding_constraints",
    "data_type",
    "init_fn",
    "trainable",
)
"""Optional fields that only a feature with a table has."""


def embedding_spec(
    config: ConfigWithTable,
    place: str,
    rows: int,
    constraints: feature_pb2.ParameterConstraints | None = None,
    growth: Growth | None = None,
) -> EmbeddingSpec:
    """Returns the table of a feature.

    Args:
        config: Config of the feature.
        place: Path of the feature in the config, for messages.
        rows: Number of rows of the table.
        constraints: Constraints of tables whose features have none; None for no constraints.
        growth: How ids get rows of their own as they are met; None if each has its row.

    Raises:
        ConfigError: A field is wrong. The message begins with its path.
    """
    if config.HasField("embedding_constraints"):
        constraints = config.embedding_constraints
        unknown = unknown_constraint(constraints)
        if unknown is not None:
            raise ConfigError(f"{place}.embedding_constraints.{unknown[0]}: {unknown[1]}")
    return EmbeddingSpec(
        name=_table(config, place),
        num_embeddings=rows,
        dim=_dim(config, place),
        pooling=_pooling(config.pooling, place),
        trainable=config.trainable,
        weighted=isinstance(config, feature_pb2.IdFeature) and config.weighted,
        data_type=_data_type(config.data_type, place),
        init_fn=_initializer(config, place),
        sharding_types=tuple(constraints.sharding_types) if constraints is not None else (),
        compute_kernels=tuple(constraints.compute_kernels) if constraints is not None else (),
        growth=growth,
    )


def check_shared(
    tables: dict[str, tuple[str, EmbeddingSpec]], spec: EmbeddingSpec, place: str
) -> None:
    """Checks that a table is the same as for earlier features, and adds it if it is new.

    Args:
        tables: Place of the first feature of each table, and its table, by name.
        spec: Table of the feature.
        place: Path of the feature in the config, for messages.

    Raises:
        ConfigError: The table differs.
    """
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
    for field, here, there in (
        ("data_type", spec.data_type, first.data_type),
        ("init_fn", spec.init_fn or "not given", first.init_fn or "not given"),
        ("embedding_constraints", _constraints(spec), _constraints(first)),
    ):
        if here != there:
            raise ConfigError(
                f'{place}.{field}: of table "{spec.name}" is {here} here, but {there} in '
                f"{first_place}; features that share a table must agree"
            )
    if spec.growth != first.growth:
        raise ConfigError(
            f'{place}.zch: table "{spec.name}" grows otherwise in {first_place}; features that '
            "share a table must agree"
        )


def _constraints(spec: EmbeddingSpec) -> str:
    names = [*sorted(spec.sharding_types), *sorted(spec.compute_kernels)]
    return ", ".join(names) or "not given"


def _table(config: ConfigWithTable, place: str) -> str:
    if not config.HasField("embedding_name"):
        return config.feature_name
    if not config.embedding_name:
        raise ConfigError(f"{place}.embedding_name: is empty; name a table or leave it out")
    return config.embedding_name


def _dim(config: ConfigWithTable, place: str) -> int:
    if config.embedding_dim < 1 and not config.stub_type:
        raise ConfigError(f"{place}.embedding_dim: must be given and at least 1")
    return config.embedding_dim


def _pooling(pooling: str, place: str) -> Literal["sum", "mean"]:
    if pooling == "sum":
        return "sum"
    if pooling == "mean":
        return "mean"
    raise ConfigError(f'{place}.pooling: "{pooling}" is not a pooling; use "sum" or "mean"')


def _data_type(data_type: str, place: str) -> Literal["FP32", "FP16", "BF16"]:
    for known in ("FP32", "FP16", "BF16"):
        if data_type == known:
            return known
    raise ConfigError(
        f'{place}.data_type: "{data_type}" is no type of a table; use FP32, FP16 or BF16'
    )


def _initializer(config: ConfigWithTable, place: str) -> Initializer | None:
    if _grows(config):
        dim, at = config.embedding_dim, f"{place}.dynamicemb"
        initial = dynamic_initializer(config.dynamicemb, dim, at)
        if initial is not None and config.HasField("init_fn"):
            raise ConfigError(f"{place}.init_fn: is given beside {at}.initializer_args; give one")
        if initial is not None:
            return initial
    if not config.HasField("init_fn"):
        return None
    try:
        return parse_initializer(config.init_fn)
    except ValueError as error:
        raise ConfigError(f"{place}.init_fn: {error}") from None


def _grows(config: ConfigWithTable) -> TypeGuard[ConfigWithIds]:
    return "dynamicemb" in config.DESCRIPTOR.fields_by_name and config.HasField("dynamicemb")
