"""What is wrong with the input of an update is counted exactly, and has no weight."""

from __future__ import annotations

import math
from itertools import product

import pytest
import torch

from raymon.errors import UserError
from raymon.metrics.base.class_labels import check_class_rows, class_labels
from raymon.metrics.base.invalid_counts import clean_classes, invalid_counts, not_binary
from raymon.metrics.base.weight_tables import LARGEST, SMALLEST
from raymon.metrics.numerics.fixed_point import (
    MAX_WEIGHT,
    MIN_WEIGHT,
    WEIGHT_BITS,
    units_of_one,
    valid_weights,
)

NAN, INF = math.nan, math.inf
FLOATS = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
BAD_WEIGHTS = [NAN, INF, -INF, -1.0, -1e-7, 1e31]
GOOD_WEIGHTS = [0.0, 2.0**-16, 1.0, 1.5, 60_000.0]


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_scores_are_counted_as_nan_or_as_outside(dtype: torch.dtype) -> None:
    scores = torch.tensor([NAN, NAN, INF, -INF, -1e-7, 1.01, 0.0, -0.0, 0.5, 1.0], dtype=dtype)
    good = torch.zeros(10)
    assert invalid_counts(scores, good, None).tolist() == [2, 4, 0, 0]
    assert invalid_counts(scores, good, None, probabilities=False).tolist() == [2, 0, 0, 0]


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_a_row_of_scores_counts_once_and_as_nan_before_all_else(dtype: torch.dtype) -> None:
    rows = torch.tensor(
        [[NAN, 2.0], [NAN, NAN], [INF, -INF], [2.0, -1.0], [0.1, 1.1], [0.0, 1.0]], dtype=dtype
    )
    assert invalid_counts(rows, torch.zeros(6), None).tolist() == [2, 3, 0, 0]
    assert invalid_counts(rows, torch.zeros(6), None, probabilities=False).tolist() == [2, 0, 0, 0]


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_a_weight_that_is_counted_counts_nothing_and_every_other_is_what_it_is(
    dtype: torch.dtype,
) -> None:
    weights = torch.tensor(BAD_WEIGHTS + GOOD_WEIGHTS, dtype=dtype)
    counts = invalid_counts(torch.rand(len(weights)), torch.zeros(len(weights)), weights)
    assert counts.tolist() == [0, 0, 0, len(BAD_WEIGHTS)]
    expected = [0.0] * len(BAD_WEIGHTS) + weights[len(BAD_WEIGHTS) :].double().tolist()
    assert valid_weights(weights).tolist() == expected


def test_the_largest_and_smallest_weights_are_valid_and_the_next_are_not() -> None:
    inside = [MIN_WEIGHT, MAX_WEIGHT]
    outside = [math.nextafter(MIN_WEIGHT, 0), math.nextafter(MAX_WEIGHT, INF)]
    weights = torch.tensor([*inside, *outside], dtype=torch.float64)
    assert valid_weights(weights).tolist() == [*inside, 0, 0]
    assert invalid_counts(torch.rand(4), torch.zeros(4), weights).tolist() == [0, 0, 0, 2]


def test_a_table_has_space_for_fewer_weights() -> None:
    sizes = [SMALLEST, LARGEST, math.nextafter(SMALLEST, 0), math.nextafter(LARGEST, INF)]
    weights = torch.tensor(sizes, dtype=torch.float64)
    counts = invalid_counts(torch.rand(4), torch.zeros(4), weights, sliced=True)
    assert counts.tolist() == [0, 0, 0, 2]


def test_without_weights_every_sample_weighs_1() -> None:
    units = [1 << WEIGHT_BITS] * 3
    assert units_of_one(torch.rand(3)).tolist() == units
    assert units_of_one(torch.rand(3, 2)).tolist() == units


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_binary_labels_are_0_and_1_alone(dtype: torch.dtype) -> None:
    bad = [NAN, INF, -INF, -1.0, 2.0, 0.5, 1e-5, 60_000.0, 1 - torch.finfo(dtype).eps]
    labels = torch.tensor([*bad, 0.0, -0.0, 1.0], dtype=dtype)
    assert torch.count_nonzero(not_binary(labels)) == len(bad)
    assert not not_binary(torch.tensor([True, False])).any()
    assert not_binary(torch.tensor([0, 1, 2, -1, 1 << 62])).count_nonzero() == 3


@pytest.mark.parametrize(
    "kind",
    [torch.bool, torch.uint8, torch.int8, torch.int64, torch.float32, torch.float64],
    ids=str,
)
def test_labels_of_clean_rows_are_given_as_integers(kind: torch.dtype) -> None:
    scores, labels = torch.tensor([0.0, 0.3, 1.0, 0.5]), torch.tensor([0, 1, 1, 0])
    classes = clean_classes(scores.requires_grad_(), labels.to(kind))
    assert classes is not None
    assert torch.equal(classes, labels.int())
    every_other = torch.rand(8)[::2], labels.repeat_interleave(2).to(kind)[::2]
    assert torch.equal(clean_classes(*every_other), labels.int())
    assert len(clean_classes(scores[:0], labels[:0].to(kind))) == 0


@pytest.mark.parametrize("score", [NAN, -NAN, INF, -INF, -1e-45, 1.0000001])
def test_rows_with_a_bad_score_are_not_clean(score: float) -> None:
    assert clean_classes(torch.tensor([0.5, score]), torch.tensor([0, 1])) is None


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        *product([-1, 2, 3, -(2**31)], [torch.int32, torch.int64]),
        *product([NAN, INF, -INF, -1.0, 2.0, 0.5, 1e-45], [torch.float32, torch.float64]),
    ],
)
def test_rows_with_a_bad_label_are_not_clean(label: float, kind: torch.dtype) -> None:
    assert clean_classes(torch.rand(3), torch.tensor([0, label, 1], dtype=kind)) is None


def test_an_index_is_in_range_whatever_the_label() -> None:
    labels = torch.tensor([NAN, INF, -INF, -1.0, 3.0, 1e300, 0.5, 0.0, 1.0, 2.0])
    for label in (labels, labels.double(), labels.half(), labels.bfloat16()):
        index, wrong = class_labels(label, 3)
        assert bool(((index >= 0) & (index < 3)).all())
        assert index[-3:].tolist() == [0, 1, 2]
        assert (wrong == 0).tolist() == [False] * 7 + [True] * 3
    for integers in (torch.tensor([-(1 << 63), -1, 3, (1 << 63) - 1]), torch.tensor([200]).byte()):
        index, wrong = class_labels(integers, 3)
        assert bool(((index >= 0) & (index < 3)).all())
        assert bool((wrong != 0).all())
    assert class_labels(torch.tensor([True, False]), 2)[0].tolist() == [1, 0]


def test_rows_of_class_scores_have_their_shape() -> None:
    check_class_rows("M", torch.rand(4, 3), torch.zeros(4), torch.zeros(4), 3)
    check_class_rows("M", torch.rand(0, 3), torch.zeros(0), None)
    with pytest.raises(UserError, match=r"M: preds has shape \[4\]; it must be \[B, C\]"):
        check_class_rows("M", torch.rand(4), torch.zeros(4), None)
    with pytest.raises(UserError, match=r"M: preds has shape \[4, 3\]; it must be \[B, 2\]"):
        check_class_rows("M", torch.rand(4, 3), torch.zeros(4), None, 2)
    with pytest.raises(UserError, match=r"M: preds \[4\], target \[3\]; all must have"):
        check_class_rows("M", torch.rand(4, 3), torch.zeros(3), None)
    with pytest.raises(UserError, match=r"M: preds \[4\], target \[4\], weights \[1\]; all must"):
        check_class_rows("M", torch.rand(4, 3), torch.zeros(4), torch.ones(1))
