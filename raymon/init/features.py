"""Which features a column becomes, by what its values are like."""

from __future__ import annotations

from raymon.data import ColumnProfile, ValueKind
from raymon.init.feature_text import FeatureText, block, quoted
from raymon.init.names import is_id, is_time, side
from raymon.init.number_features import number_features, vector_feature
from raymon.init.tables import ids_of

_CATEGORIES = 30
_UNIQUE = 0.95
_FEW_ROWS = 100
_CENTURIES = (19_000_101, 21_001_231)
_EPOCHS = tuple((int(8e8 * scale), int(2.2e9 * scale)) for scale in (1, 1e3, 1e6, 1e9))


def why_left_out(profile: ColumnProfile, rows: int) -> str | None:
    """Returns why a column makes no feature; None if it makes one.

    Args:
        profile: What the values of the column are like.
        rows: Rows of the whole table.
    """
    if profile.kind is ValueKind.OTHER:
        return "its values are of a type that no feature is made from"
    if profile.kind is ValueKind.NOTHING:
        return "no row of the sample has a value"
    if profile.is_constant:
        return f"every row has the same value, {profile.common[0][0]}"
    if profile.kind is ValueKind.TIME or _is_point_of_time(profile):
        return "it says when the row was, and later rows have values that training never met"
    numbers = profile.numbers
    if profile.lengths is not None:
        uneven = profile.lengths[0] != profile.lengths[1]
        if numbers is not None and not numbers.are_integers and uneven:
            least, most = profile.lengths
            return f"its lists of numbers have {least} to {most} entries, and have to be equal"
        return None
    if numbers is not None and numbers.not_finite:
        return f"{numbers.not_finite:,} rows of the sample have numbers that are not finite"
    having = rows * (1 - profile.nulls / profile.rows)
    is_amount = numbers is not None and not numbers.are_integers
    is_plain = not is_amount and profile.separator is None and having > _FEW_ROWS
    if is_plain and profile.cardinality.estimated >= _UNIQUE * having:
        return "nearly every row has a value of its own, as the number of a row has"
    return None


def features_of_column(profile: ColumnProfile, dim: int, taken: set[str]) -> FeatureText:
    """Returns the features that a column becomes.

    Args:
        profile: What the values of the column are like.
        dim: Size of an embedding.
        taken: Names that other features have; those of these are added.
    """
    numbers, name = profile.numbers, profile.name
    if numbers is not None and profile.lengths is not None and not numbers.are_integers:
        return vector_feature(profile)
    is_category = numbers is None or profile.lengths is not None
    if numbers is not None and numbers.are_integers:
        is_category |= is_id(name) or profile.cardinality.estimated <= _CATEGORIES
    if numbers is not None and not is_category:
        return number_features(profile, dim, taken)
    table, why = ids_of(profile)
    fields = [
        f"feature_name: {quoted(name)}",
        f"expression: {quoted(f'{side(name)}:{name}')}",
        table,
        f"embedding_dim: {dim}",
    ]
    if profile.separator is not None:
        fields += [f"separator: {quoted(profile.separator)}", 'pooling: "mean"']
        why += f"; several in one string, with {quoted(profile.separator)} between"
    elif profile.lengths is not None:
        fields.append('pooling: "mean"')
        why += f"; lists of {profile.lengths[0]} to {profile.lengths[1]}"
    elif numbers is None:
        fields.append("value_dim: 1")
    if profile.nulls:
        why += f"; {profile.nulls / profile.rows:.1%} of the rows have none"
    return FeatureText(name, why, (block("id_feature", fields),))


def _is_point_of_time(profile: ColumnProfile) -> bool:
    numbers = profile.numbers
    if numbers is None or not numbers.are_integers or profile.lengths is not None:
        return False
    days = _CENTURIES[0] <= numbers.least and numbers.most <= _CENTURIES[1]
    if days:
        return is_time(profile.name) and all(_is_day(text) for text, _ in profile.common)
    within = any(low <= numbers.least and numbers.most <= high for low, high in _EPOCHS)
    return within and is_time(profile.name)


def _is_day(text: str) -> bool:
    return 1 <= int(text[4:6] or 0) <= 12 and 1 <= int(text[6:8] or 0) <= 31
