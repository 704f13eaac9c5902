"""The features of columns of numbers: normalized, and cut into buckets that have embeddings."""

from __future__ import annotations

import math

from raymon.data import ColumnProfile, NumberProfile
from raymon.init.feature_text import FeatureText, block, listed, quoted
from raymon.init.names import side

_HEAVY = 2.0


def number_features(profile: ColumnProfile, dim: int, taken: set[str]) -> FeatureText:
    """Returns the two features of a column of numbers.

    Args:
        profile: What the numbers are like.
        dim: Size of an embedding.
        taken: Names that other features have; those of these are added.
    """
    assert profile.numbers is not None
    name, numbers = profile.name, profile.numbers
    expression = f"expression: {quoted(f'{side(name)}:{name}')}"
    normalizer, why = _normalizer(numbers)
    plain = [f"feature_name: {quoted(name)}", expression, *normalizer]
    if profile.nulls:
        plain += [f"default_value: {quoted(_default(numbers, normalizer))}"]
        why += f"; {profile.nulls / profile.rows:.1%} of the rows have none, and get the mean"
    own = _free(f"{name}_range", taken)
    cuts = list(dict.fromkeys(_number(cut) for cut in numbers.cuts))
    cut = [f"feature_name: {quoted(own)}", expression, f"embedding_dim: {dim}"]
    cut += [f"boundaries: {listed(cuts, '    ')}"]
    if profile.nulls:
        cut += [f"default_value: {quoted(_number(numbers.median))}"]
    range_note = f"    # {own}: buckets of about equally many rows"
    text = block("raw_feature", cut).split("\n")
    text.insert(2, range_note)
    return FeatureText(name, why, (block("raw_feature", plain), "\n".join(text)))


def vector_feature(profile: ColumnProfile) -> FeatureText:
    """Returns the feature of a column of lists of numbers that are equally long."""
    assert profile.lengths is not None
    name, size = profile.name, profile.lengths[0]
    fields = [
        f"feature_name: {quoted(name)}",
        f"expression: {quoted(f'{side(name)}:{name}')}",
        f"value_dim: {size}",
    ]
    why = f"lists of {size} numbers, as they are"
    return FeatureText(name, why, (block("raw_feature", fields),), has_embedding=False)


def _normalizer(numbers: NumberProfile) -> tuple[list[str], str]:
    """Returns the field of the normalizer, if there is one, and why, in words."""
    spread = f"{numbers.least:.6g} to {numbers.most:.6g}"
    if numbers.least >= 0 and numbers.skewness > _HEAVY:
        # The logarithm is brought to about [-1, 1] by the quantiles, as moments are of the tail.
        low, high = (math.log1p(numbers.quantiles[place]) for place in (1, -2))
        middle, half = (low + high) / 2, (high - low) / 2
        if half <= 0:
            middle, half = 0.0, max(math.log1p(numbers.most), 1e-6)
        text = f"method=expression,expr=(log1p(x)-{middle:.4g})/{half:.4g}"
        return [f"normalizer: {quoted(text)}"], f"{spread} with a long tail: logarithm"
    if numbers.least >= 0 and numbers.most <= 1:
        return [], f"{spread}, as it is"
    if _is_even(numbers):
        text = f"method=minmax,min={_number(numbers.least)},max={_number(numbers.most)}"
        return [f"normalizer: {quoted(text)}"], f"{spread}, evenly: to [0, 1]"
    deviation = max(numbers.deviation, 1e-9)
    text = f"method=zscore,mean={numbers.mean:.6g},standard_deviation={deviation:.6g}"
    return [f"normalizer: {quoted(text)}"], f"{spread}: to mean 0, deviation 1"


def _is_even(numbers: NumberProfile) -> bool:
    """Whether numbers are spread evenly between the least and the largest."""
    width = numbers.most - numbers.least
    places = range(1, len(numbers.quantiles) + 1)
    return all(
        abs((at - numbers.least) / width - place / (len(numbers.quantiles) + 1)) < 0.05
        for at, place in zip(numbers.quantiles, places, strict=True)
    )


def _default(numbers: NumberProfile, normalizer: list[str]) -> str:
    """Returns what is in place of a null: the mean, as the normalizer would have it."""
    if not normalizer:
        return _number(numbers.mean)
    return "0.5" if "minmax" in normalizer[0] else "0"


def _number(number: float) -> str:
    if number == math.floor(number) and abs(number) < 1e15:
        return str(int(number))
    return repr(float(f"{number:.9g}"))


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    taken.add(name)
    return name
