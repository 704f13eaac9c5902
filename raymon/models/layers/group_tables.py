"""Which embedding tables a group of features has, and in which collection of them they are."""

from __future__ import annotations

from dataclasses import replace

from raymon.data import EmbeddingSpec, parse_initializer
from raymon.embeddings import specs_of
from raymon.errors import ConfigError
from raymon.models.layers.feature_group import FeatureGroup
from raymon.protos.model_pb2 import ModelConfig

_WIDE_DIM = 4
"""Size of an embedding in a WIDE group of a model that has no setting for it."""


def collection_name(group: FeatureGroup) -> str:
    """Returns the name of the collection that has the tables of a group.

    A table that groups share is in one collection. Those of WIDE groups are of another size, and
    groups with an `embedding_name_suffix` share tables only with groups of the same one.
    """
    return named_collection("wide_embeddings" if group.is_wide else "embeddings", group.suffix)


def named_collection(name: str, suffix: str) -> str:
    """Returns the name of a collection of tables that have a suffix, which may be empty."""
    # A dot separates the parts of the path of a module.
    return f"{name}_{suffix.replace('%', '%25').replace('.', '%2E')}" if suffix else name


def group_specs(config: ModelConfig, group: FeatureGroup) -> dict[str, EmbeddingSpec]:
    """Returns the tables of the features of a group that have embeddings, by feature name.

    They are those of the features, except that in a WIDE group their size is the model's
    `wide_embedding_dim`, and their initial values are of its `wide_init_fn` if that is given.

    Raises:
        ConfigError: `wide_init_fn` names no initializer. It begins with the path of the field.
    """
    specs = specs_of(group.features)
    if group.is_wide:
        specs = {name: _wide(config, spec) for name, spec in specs.items()}
    return specs


def dense_dims(config: ModelConfig, group: FeatureGroup) -> dict[str, int]:
    """Returns the length of each embedding of numbers of a group, by feature name.

    It is that of the feature, except that in a WIDE group it is that of all its embeddings.
    """
    dims = {f.name: f.dense_embedding.dim for f in group.features if f.dense_embedding is not None}
    return dict.fromkeys(dims, _wide_dim(config)) if group.is_wide else dims


def _wide_dim(config: ModelConfig) -> int:
    settings = getattr(config, str(config.WhichOneof("model")))
    return int(getattr(settings, "wide_embedding_dim", _WIDE_DIM))


def _wide(config: ModelConfig, spec: EmbeddingSpec) -> EmbeddingSpec:
    kind = str(config.WhichOneof("model"))
    settings = getattr(config, kind)
    spec = replace(spec, dim=_wide_dim(config))
    text = getattr(settings, "wide_init_fn", "")
    if not text:
        return spec
    try:
        return replace(spec, init_fn=parse_initializer(text))
    except ValueError as error:
        raise ConfigError(f"model_config.{kind}.wide_init_fn: {error}") from None
