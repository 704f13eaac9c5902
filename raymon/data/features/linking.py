"""Puts what features make in the place of the columns that other features name."""

from __future__ import annotations

from collections.abc import Mapping

from raymon.data.features.building.context import CONSTANT, FROM_FEATURE
from raymon.data.features.feature import Feature
from raymon.data.features.linked_feature import Constant, LinkedFeature
from raymon.errors import ConfigError


def linked(features: Mapping[str, Feature], places: Mapping[str, str]) -> dict[str, Feature]:
    """Returns features whose columns are all raw ones.

    Args:
        features: Features by name, in the order of the config.
        places: Path of the block of each, for messages.

    Raises:
        ConfigError: A feature is made of one that is not there, of one whose values it cannot take,
            or of itself; or of constants alone.
    """
    done: dict[str, Feature] = {}

    def link(name: str, users: tuple[str, ...]) -> Feature:
        if name not in done:
            done[name] = _linked(features[name], users)
        return done[name]

    def _linked(feature: Feature, users: tuple[str, ...]) -> Feature:
        place, users = places[feature.name], (*users, feature.name)
        if not any(column.startswith("\0") for column in feature.columns):
            return feature
        sources: list[str | Feature | Constant] = []
        for use in feature.uses:
            column = use.column
            if column.startswith(CONSTANT):
                sources.append(Constant(column.removeprefix(CONSTANT)))
                continue
            if not column.startswith(FROM_FEATURE):
                sources.append(column)
                continue
            name = column.removeprefix(FROM_FEATURE)
            if name not in features:
                raise ConfigError(
                    f'{place}: is made of "feature:{name}", and there is no such feature; there '
                    f"are {', '.join(features)}"
                )
            if name in users:
                circle = " of ".join(f'"{user}"' for user in (*users, name))
                raise ConfigError(f"{place}: features are made in a circle: {circle}")
            source = link(name, users)
            if not use.accepts(source.output_type):
                raise ConfigError(
                    f'{place}: "feature:{name}" is {source.output_type}; it is made from '
                    f"{use.accepted_types}"
                )
            sources.append(source)
        columns: list[str] = []
        for each in sources:
            if isinstance(each, str):
                columns.append(each)
            elif isinstance(each, Feature):
                columns += each.columns
        if not columns:
            raise ConfigError(f"{place}: is made of constants alone; name a column")
        return LinkedFeature(
            name=feature.name,
            columns=tuple(dict.fromkeys(columns)),
            value_dim=feature.value_dim,
            embedding=feature.embedding,
            dense_embedding=feature.dense_embedding,
            inner=feature,
            sources=tuple(sources),
        )

    return {name: link(name, ()) for name in features}
