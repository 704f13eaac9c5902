"""AUC from bins: close to the exact area, that of torchmetrics by thresholds, sums of integers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from torchmetrics.functional.classification import binary_auroc

from raymon.errors import UserError
from raymon.metrics import AUC, WEIGHT_BITS
from raymon.metrics.numerics.auc_bins import ACCURATE_BINS, accurate_bins

ROWS = 100_000
# Anywhere, or many in a bin.
SCORE = st.floats(0, 1, width=32) | st.floats(0.3125, 0.31256103515625, width=32)


def _auc(scores: np.ndarray, labels: np.ndarray, thresholds: int | None = None) -> AUC:
    metric = AUC(thresholds, exact_rows=0)
    metric.update(torch.tensor(scores), torch.tensor(labels))
    return metric


def _clicks(rng: np.random.Generator, base_rate: float) -> tuple[np.ndarray, np.ndarray]:
    logits = rng.normal(np.log(base_rate / (1 - base_rate)), 1.2, ROWS)
    scores = 1 / (1 + np.exp(-logits))
    return scores.astype(np.float32), (rng.random(ROWS) < scores).astype(np.int64)


@pytest.mark.parametrize("base_rate", [0.001, 0.005, 0.05, 0.33, 0.9, 0.995])
def test_is_within_1e_4_of_the_exact_area_at_any_base_rate(base_rate: float) -> None:
    scores, labels = _clicks(np.random.default_rng(1), base_rate)
    metric = _auc(scores, labels)
    error = abs(metric.compute().item() - roc_auc_score(labels, scores))
    assert error < 1e-4
    assert error <= metric.error_bound.item() < 1e-3


@pytest.mark.parametrize(
    "crowded",
    [
        lambda z: np.exp(z) * 1e-6,
        lambda z: 1 - np.exp(-z) * 1e-5,
        lambda z: 0.5 + z * 1e-3,
        lambda z: 0.5 + z * 1e-5,
    ],
    ids=["at 0", "at 1", "about 1/2", "close about 1/2"],
)
def test_is_within_1e_4_of_the_exact_area_where_scores_crowd(crowded) -> None:
    rng = np.random.default_rng(2)
    z = rng.normal(size=ROWS)
    labels = (rng.random(ROWS) < 1 / (1 + np.exp(1 - z))).astype(np.int64)
    scores = crowded(z).astype(np.float32)
    assert _auc(scores, labels).compute().item() == pytest.approx(
        roc_auc_score(labels, scores), abs=1e-4
    )


def test_tied_scores_count_half() -> None:
    rng = np.random.default_rng(3)
    scores = rng.choice(np.float32([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0]), 5_000)
    labels = (rng.random(5_000) < scores).astype(np.int64)
    assert _auc(scores, labels).compute().item() == pytest.approx(
        roc_auc_score(labels, scores), abs=1e-12
    )


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(SCORE, st.booleans()), min_size=1, max_size=50),
)
def test_is_never_further_from_the_exact_area_than_its_bound(
    samples: list[tuple[float, bool]],
) -> None:
    scores = np.array([score for score, _ in samples], dtype=np.float32)
    labels = np.array([label for _, label in samples], dtype=np.int64)
    metric = _auc(scores, labels)
    positive, negative = scores[labels == 1], scores[labels == 0]
    if len(positive) and len(negative):
        above = (positive[:, None] > negative).mean()
        exact = above + (positive[:, None] == negative).mean() / 2
        assert abs(metric.compute().item() - exact) <= metric.error_bound.item() + 1e-12
    else:
        assert metric.compute().isnan()


@pytest.mark.parametrize("thresholds", [None, 200])
def test_its_bound_is_reached_by_the_best_order_within_a_bin(thresholds: int | None) -> None:
    metric = _auc(np.float32([0.3, 0.30001]), np.array([0, 1]), thresholds)
    assert metric.compute().item() == metric.error_bound.item() == 0.5


@settings(deadline=None)
@given(st.lists(st.floats(0, 1, width=32), min_size=2, max_size=50))
def test_bins_are_in_the_order_of_the_scores(scores: list[float]) -> None:
    bins = accurate_bins(torch.tensor(sorted(scores)))
    assert (bins.diff() >= 0).all()
    assert 0 <= bins[0] <= bins[-1] < ACCURATE_BINS - 1


@pytest.mark.parametrize("thresholds", [2, 5, 11, 200])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_by_thresholds_it_is_the_area_of_torchmetrics(thresholds: int, dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(thresholds)
    on_thresholds = torch.linspace(0, 1, thresholds).repeat(20)
    scores = torch.cat([torch.rand(2_000, generator=generator), on_thresholds]).to(dtype)
    labels = (torch.rand(len(scores), generator=generator) < scores.float()).long()
    metric = AUC(thresholds, exact_rows=0)
    metric.update(scores, labels)
    expected = binary_auroc(scores, labels, thresholds=thresholds)
    assert metric.compute().item() == pytest.approx(expected.item(), abs=1e-6)


def test_a_score_of_64_bits_is_compared_with_a_threshold_as_in_torchmetrics() -> None:
    threshold = torch.linspace(0, 1, 11)[3].double()
    scores, labels = torch.stack([threshold - 1e-12, threshold]), torch.tensor([0, 1])
    metric = AUC(11)
    metric.update(scores, labels)
    assert metric.compute().item() == binary_auroc(scores, labels, thresholds=11).item() == 1


@pytest.mark.parametrize("thresholds", [None, 200])
def test_one_class_alone_has_no_value_no_bound_and_a_reason(thresholds: int | None) -> None:
    for label in (0, 1):
        metric = _auc(np.float32([0.2, 0.7]), np.array([label, label]), thresholds)
        assert metric.compute().isnan()
        assert metric.error_bound.isnan()
        assert metric.why_no_value() == f"there is one class alone (labels are all {label})"


@pytest.mark.parametrize("thresholds", [None, 200])
def test_a_weight_is_a_number_of_copies(thresholds: int | None) -> None:
    generator = torch.Generator().manual_seed(0)
    scores = torch.rand(300, generator=generator)
    labels = (torch.rand(300, generator=generator) < scores).float()
    copies = torch.randint(0, 4, (300,), generator=generator)
    weighted, copied = AUC(thresholds, exact_rows=0), AUC(thresholds, exact_rows=0)
    weighted.update(scores, labels, copies.float())
    copied.update(scores.repeat_interleave(copies), labels.repeat_interleave(copies))
    assert torch.equal(weighted.histogram, copied.histogram)


def test_fractional_weights_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(4)
    scores, labels = _clicks(rng, 0.1)
    weights = rng.random(ROWS).astype(np.float32)
    metric = AUC()
    metric.update(torch.tensor(scores), torch.tensor(labels), torch.tensor(weights))
    exact = roc_auc_score(labels, scores, sample_weight=weights)
    assert metric.compute().item() == pytest.approx(exact, abs=1e-4)


@settings(deadline=None, max_examples=50)
@given(
    scores=st.lists(st.floats(0, 1, width=32), min_size=1, max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=4),
    thresholds=st.sampled_from([None, 7]),
    random=st.randoms(use_true_random=False),
)
def test_counts_do_not_depend_on_how_samples_are_split_or_ordered(
    scores, cuts, thresholds, random
) -> None:
    rows = [(score, random.random() < 0.5, random.random()) for score in scores]
    whole, split = AUC(thresholds, exact_rows=0), AUC(thresholds, exact_rows=0)
    whole.update(*(torch.tensor(column) for column in zip(*rows, strict=True)))
    random.shuffle(rows)
    columns = [torch.tensor(column) for column in zip(*rows, strict=True)]
    edges = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    for start, end in pairwise(edges):
        split.update(*(column[start:end] for column in columns))
    assert torch.equal(whole.histogram, split.histogram)
    assert whole.histogram.dtype == torch.int64


def test_an_unweighted_sample_weighs_one_unit_shifted_by_the_weight_bits() -> None:
    metric = _auc(np.float32([0.1, 0.2, 0.3]), np.array([0, 1, 1]))
    assert metric.histogram.sum(1).tolist() == [1 << WEIGHT_BITS, 2 << WEIGHT_BITS]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_a_score_falls_into_the_same_bin_whatever_float_type_holds_it(dtype: torch.dtype) -> None:
    scores = torch.rand(1_000, generator=torch.Generator().manual_seed(5)).to(dtype)
    scores = scores.bfloat16().to(dtype)  # representable in each of the types
    narrow, single = AUC(exact_rows=0), AUC(exact_rows=0)
    narrow.update(scores, torch.ones(1_000))
    single.update(scores.float(), torch.ones(1_000))
    assert torch.equal(narrow.histogram, single.histogram)


@pytest.mark.parametrize("thresholds", [None, 200])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_score_of_nan_makes_the_value_nan(thresholds: int | None, sign: int) -> None:
    metric = AUC(thresholds, exact_rows=0)
    nan = torch.tensor(float("nan")).copysign(torch.tensor(float(sign)))
    metric.update(torch.stack([torch.tensor(0.1), nan, torch.tensor(0.9)]), torch.tensor([0, 1, 1]))
    assert metric.compute().isnan()
    assert metric.error_bound.isnan()


@pytest.mark.parametrize("thresholds", [None, 200])
def test_scores_outside_0_and_1_count_as_the_nearer_of_the_two(thresholds: int | None) -> None:
    outside, clamped = AUC(thresholds, exact_rows=0), AUC(thresholds, exact_rows=0)
    scores = torch.tensor([-float("inf"), -0.3, 1.2, float("inf")])
    outside.update(scores, torch.tensor([0, 1, 0, 1]))
    clamped.update(scores.clamp(0, 1), torch.tensor([0, 1, 0, 1]))
    assert torch.equal(outside.histogram, clamped.histogram)


@settings(deadline=None, max_examples=200)
@given(
    rows=st.lists(
        st.tuples(
            st.floats(0, 1, width=32) | st.sampled_from([-0.0, -1e-45, 1.0000001, np.nan, np.inf]),
            st.sampled_from([0.0, 1.0, 0.0, 1.0, -1.0, 0.5, 2.0, np.nan]),
        ),
        max_size=4,
    ),
    thresholds=st.sampled_from([None, 7]),
)
def test_scores_of_32_bits_count_as_the_same_of_64(rows, thresholds) -> None:
    # They go other ways, as long as nothing is wrong with them.
    scores, labels = torch.tensor(rows, dtype=torch.float32).reshape(-1, 2).T
    narrow, wide = AUC(thresholds, exact_rows=0), AUC(thresholds, exact_rows=0)
    narrow.update(scores, labels)
    wide.update(scores.double(), labels.double())
    assert torch.equal(narrow.histogram, wide.histogram)
    assert torch.equal(narrow.invalid, wide.invalid)


def test_fewer_than_2_thresholds_are_refused() -> None:
    with pytest.raises(UserError, match="AUC: thresholds is 1; it must be at least 2"):
        AUC(thresholds=1)
