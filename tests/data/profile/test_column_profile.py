from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from raymon.data import ColumnProfile, ValueKind, profile_column
from raymon.data.profile.separators import find_separator


def profiled(values: list[Any], kind: pa.DataType | None = None) -> ColumnProfile:
    return profile_column("x", pa.chunked_array([pa.array(values, kind)]), len(values))


TAGS = [f"{a}|{b}" for a in "abcdefg" for b in "abcdefg"] + ["a", "b"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (TAGS, "|"),
        ([tag.replace("|", ",") for tag in TAGS], ","),
        ([tag.replace("|", "\x1d") for tag in TAGS], "\x1d"),
        ([tag.replace("|", " ") for tag in TAGS], " "),
        # Each stands for itself.
        ([f"[{10**a},{10 ** (a + 1)})" for a in range(20)], None),
        ([f"last{n}, first{n % 4}" for n in range(50)], None),
        ([f"city{n} of{n}" for n in range(50)], None),
        (["a|b", "b|a", "a"], None),
    ],
)
def test_a_separator_is_between_values_that_come_in_other_company(
    values: list[str], expected: str | None
) -> None:
    assert find_separator(values, [1] * len(values)) == expected


def test_values_are_counted_apart_in_lists_and_strings() -> None:
    tags = profiled([*TAGS, None])
    assert (tags.kind, tags.separator, tags.nulls) == (ValueKind.TEXT, "|", 1)
    assert tags.cardinality.seen == 7
    assert dict(tags.common)["a"] == 7 + 7 + 1
    lists = profiled([["a", "b"], [], None, ["a"]])
    assert (lists.lengths, lists.nulls, lists.cardinality.seen) == ((0, 2), 1, 2)
    assert lists.common == (("a", 2), ("b", 1))


def test_the_kind_of_values_is_seen() -> None:
    assert profiled([1, 2]).kind is ValueKind.NUMBER
    assert profiled([True, False]).common == (("1", 1), ("0", 1))
    assert profiled([date(2026, 1, 2)]).kind is ValueKind.TIME
    assert profiled([None, None]).kind is ValueKind.NOTHING
    assert profiled([None, None], pa.string()).kind is ValueKind.NOTHING
    assert profiled([{"k": 1}]).kind is ValueKind.OTHER
    assert profiled([[[1]]]).kind is ValueKind.OTHER
    assert profiled(["a", "a"]).is_constant
    assert not profiled(["a", None]).is_constant
    coded = pa.array(["a", "b", "a"]).dictionary_encode()
    assert profile_column("x", pa.chunked_array([coded]), 3).cardinality.seen == 2


def test_statistics_of_numbers_are_those_of_numpy() -> None:
    values = np.random.default_rng(0).exponential(size=1001)
    numbers = profiled([*values.tolist(), None, float("inf")]).numbers
    assert numbers is not None
    assert (numbers.least, numbers.most) == (values.min(), values.max())
    assert numbers.mean == pytest.approx(values.mean())
    assert numbers.deviation == pytest.approx(values.std())
    assert numbers.median == np.median(values)
    centred = values - values.mean()
    assert numbers.skewness == pytest.approx((centred**3).mean() / values.std() ** 3)
    assert (numbers.are_integers, numbers.not_finite) == (False, 1)


def test_cuts_divide_the_rows_evenly_or_those_without_the_common_number() -> None:
    even = profiled(list(range(1000))).numbers
    assert even is not None
    parts = np.histogram(np.arange(1000), [-1, *even.cuts, 1000])[0]
    assert parts.max() - parts.min() <= 2
    mostly = profiled([0] * 900 + list(range(1, 101))).numbers
    assert mostly is not None
    assert mostly.cuts[0] == 1
    assert np.histogram(np.arange(1, 101), [*mostly.cuts, 101])[0].max() <= 6
    assert all(a < b for a, b in zip(mostly.cuts, mostly.cuts[1:], strict=False))
