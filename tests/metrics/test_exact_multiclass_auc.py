"""MulticlassAUC of stored rows: exact, the same in any parts, until there are too many."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from torchmetrics import MetricCollection

from raymon.metrics import AUC, MulticlassAUC, TrainMetricWrapper
from raymon.metrics.base.rows_or_bins import EXACT_SCORES
from raymon.metrics.decay.states import compute_states, merge_states, window_states

NAN = float("nan")
Columns = list[np.ndarray]


def _metric(columns: Columns, *edges: int, classes: int = 3, **kwargs: Any) -> MulticlassAUC:
    metric = MulticlassAUC(classes, **kwargs)
    for start, end in pairwise([0, *edges, len(columns[0])]):
        metric.update(*(torch.from_numpy(column[start:end]) for column in columns))
    return metric


def _figures(metric: MulticlassAUC) -> tuple[Any, ...]:
    value = metric.compute()
    assert metric.error_bound is not None
    figures = torch.stack([value, metric.error_bound]).nan_to_num(-1).tolist()
    return *figures, metric.details(), metric.input_errors(), metric.why_no_value()


def _samples(rows: int, classes: int = 3, weighted: bool = False) -> Columns:
    rng = np.random.default_rng(rows)
    logits = rng.normal(size=(rows, classes)) - np.arange(classes) / 2
    scores = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = (scores.cumsum(1) < rng.random((rows, 1))).sum(1).clip(max=classes - 1)
    return [scores, labels, *([rng.gamma(1, 1e-7, rows)] if weighted else [])]


@pytest.mark.parametrize("average", ["macro", "weighted"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_it_is_that_of_scikit_learn(average: str, weighted: bool, kind: type) -> None:
    scores, *others = _samples(5_000, 5, weighted)
    columns = [scores.astype(kind), *others]
    value, bound, *_ = _figures(_metric(columns, 5, 700, classes=5, average=average))
    weights = {"sample_weight": others[1] * 1e7} if weighted else {}
    # It wants rows that add up to 1 more exactly than float32 does.
    ranked = columns[0].astype(np.float64)
    ranked /= ranked.sum(1, keepdims=True)
    areas = [
        roc_auc_score(others[0] == label, columns[0][:, label], **weights) for label in range(5)
    ]
    share = np.bincount(others[0], others[1] if weighted else None)
    expected = np.average(areas, weights=share if average == "weighted" else None)
    assert value == pytest.approx(expected, abs=1e-12)
    assert bound == 0
    if kind is np.float64:
        direct = roc_auc_score(others[0], ranked, multi_class="ovr", average=average, **weights)
        assert value == pytest.approx(direct, abs=1e-10)


@pytest.mark.parametrize(
    "crowded",
    [lambda p: p * 1e-13, lambda p: 1 - p * 1e-5, lambda p: 0.05 + p * 1e-7, lambda p: 4 * p - 1],
    ids=["below 1e-12", "at 1", "in one bin", "outside 0 and 1"],
)
def test_it_is_exact_wherever_scores_crowd(crowded: Any) -> None:
    scores, labels = _samples(5_000)
    scores = crowded(scores).astype(np.float32)
    areas = [roc_auc_score(labels == label, scores[:, label].clip(0, 1)) for label in range(3)]
    value, bound, *_ = _figures(_metric([scores, labels]))
    assert value == pytest.approx(np.mean(areas), abs=1e-12)
    assert bound == 0


@pytest.mark.parametrize("average", ["macro", "weighted"])
@pytest.mark.parametrize("light", [0, 1, 2])
def test_a_class_may_weigh_next_to_nothing_beside_the_others(average: str, light: int) -> None:
    scores, labels, weights = _samples(2_000, weighted=True)
    weights[labels == light] *= 1e-14
    # Weights of 1e-21 are none in bins.
    columns = [scores, labels, weights * 1e7]
    expected = roc_auc_score(
        labels, scores, multi_class="ovr", average=average, sample_weight=columns[2]
    )
    value, bound, details, *_ = _figures(_metric(columns, 5, 700, average=average))
    assert value == pytest.approx(expected, rel=1e-12)
    assert (bound, details["classes"]) == (0, 3)


def _by_definition(rows: list[tuple[Any, ...]], average: str) -> Fraction | None:
    """Returns the mean over classes of the share of pairs, of one and the rest, in right order."""
    areas = []
    for label in range(3):
        ones = [(scores[label], Fraction(w)) for scores, mine, w in rows if mine == label]
        rest = [(scores[label], Fraction(w)) for scores, mine, w in rows if mine != label]
        pairs = [(p, q, v * w) for p, v in ones for q, w in rest]
        if sum(weight for *_, weight in pairs):
            right = sum(weight * (Fraction(p > q) + Fraction(p >= q)) / 2 for p, q, weight in pairs)
            share = sum(w for _, w in ones) if average == "weighted" else Fraction(1)
            areas.append((right / sum(weight for *_, weight in pairs), share))
    if not areas:
        return None
    return sum(area * share for area, share in areas) / sum(share for _, share in areas)


SCORE = st.floats(0, 1, width=32) | st.sampled_from([0.0, 0.5, 1.0])


@settings(deadline=None, max_examples=150)
@given(
    rows=st.lists(
        st.tuples(
            st.tuples(SCORE, SCORE, SCORE),
            st.sampled_from([0, 1, 2, 0, 1, 2, -1, 3]),
            st.sampled_from([0.25, 1.0, 3.0, 1e-3, 0.0]),
        ),
        min_size=1,
        max_size=25,
    ),
    cuts=st.lists(st.integers(0, 25), max_size=3),
    scale=st.sampled_from([None, 1e-9, 1.0, 1e9]),
    average=st.sampled_from(["macro", "weighted"]),
    wide=st.booleans(),
    random=st.randoms(use_true_random=False),
)
def test_it_is_the_share_of_pairs_whatever_the_order_and_the_parts(
    rows, cuts, scale, average, wide, random
) -> None:
    def figures(*edges: int) -> tuple[Any, ...]:
        scores, labels, weights = (np.array(column) for column in zip(*rows, strict=True))
        weighted = [] if scale is None else [weights * scale]
        columns = [scores if wide else scores.astype(np.float32), labels.astype(float), *weighted]
        return _figures(_metric(columns, *edges, average=average))

    if scale is None:
        rows = [(scores, label, 1) for scores, label, _ in rows]
    expected = _by_definition(rows, average)
    value, bound, details, wrong, why = whole = figures()
    if expected is None:
        assert (value, bound, details["classes"]) == (-1, -1, 0)
        assert why in MulticlassAUC.missing
    else:
        assert value == pytest.approx(float(expected), rel=1e-12)
        assert bound == 0
    bad = sum(label not in range(3) for _, label, _ in rows)
    assert wrong == ({"labels that are no class": bad} if bad else {})
    random.shuffle(rows)
    assert figures(*sorted(min(cut, len(rows)) for cut in cuts)) == whole


@pytest.mark.parametrize("weighted", [False, True])
def test_of_too_many_rows_it_is_that_of_bins_with_its_bound(weighted: bool) -> None:
    columns = _samples(1_000, weighted=weighted)
    of_bins = _figures(_metric(columns, exact_rows=0))
    assert of_bins[1] > 0
    assert _figures(_metric(columns, 1, 500, exact_rows=999)) == of_bins
    assert _figures(_metric(columns, 1, 500, exact_rows=1_000))[1] == 0
    # Too many together, and not in any part; two parts have no rows.
    for limit in (999, 1_000):
        prototype, parts = MulticlassAUC(3, exact_rows=limit), []
        for rows in (slice(0, 600), slice(600, 1_000), slice(0)):
            part = _metric([column[rows] for column in columns], exact_rows=limit)
            parts.append(window_states(part))
        parts.append(window_states(prototype))
        merged = compute_states(prototype, merge_states(prototype, parts))
        whole = _figures(_metric(columns, exact_rows=limit))
        assert merged.error_bound is not None
        assert (merged.value.item(), merged.error_bound.item()) == whole[:2]


@pytest.mark.parametrize("classes", [2, 10, 1_000])
def test_what_is_kept_is_so_many_scores(classes: int) -> None:
    metric = MulticlassAUC(classes)
    assert metric.exact_rows == EXACT_SCORES // classes
    assert MulticlassAUC(classes, thresholds=200).exact_rows == 0


def test_after_a_reset_rows_are_kept_again() -> None:
    metric = _metric(_samples(50), exact_rows=49)
    metric.compute()
    assert metric.histogram.any()
    metric.reset()
    metric.update(torch.tensor([[0.3, 0.7], [0.30001, 0.7]]).repeat(1, 2)[:, :3], torch.eye(2)[0])
    assert metric.compute() == 0.75
    assert metric.error_bound == 0


def test_what_was_given_may_be_written_to() -> None:
    columns = [torch.from_numpy(column) for column in _samples(50, weighted=True)]
    metric, other = MulticlassAUC(3), MulticlassAUC(3)
    metric.update(*columns)
    other.update(*(column.clone() for column in columns))
    for column in columns:
        column.fill_(0)
    assert metric.compute() == other.compute()


def test_a_score_or_a_weight_that_is_none_makes_value_and_bound_nan() -> None:
    for score, weight in ((NAN, 1.0), (0.5, -1.0)):
        scores, labels = _samples(50)
        scores[7, 1] = score
        weights = np.ones(50)
        weights[3] = weight
        figures = _figures(_metric([scores, labels, weights]))
        assert figures[:2] == (-1, -1)
        assert figures[-1].startswith("its input has 1 ")


def test_without_rows_that_weigh_anything_there_is_no_value() -> None:
    scores, labels = _samples(50)
    for rows in (0, 50):
        figures = _figures(_metric([scores[:rows], labels[:rows], np.zeros(rows)]))
        details = {"classes": 0, "classes_skipped": 3}
        assert figures == (-1, -1, details, {}, "there are no rows that weigh anything")


@pytest.mark.parametrize("kind", [AUC, lambda **kwargs: MulticlassAUC(2, **kwargs)])
def test_tables_take_no_memory_while_rows_are_kept(kind: Any) -> None:
    metric = kind(exact_rows=200)
    scores, labels = (torch.from_numpy(column) for column in _samples(100, 2))
    if isinstance(metric, AUC):
        scores = scores[:, 1]

    def bytes_of_tables() -> int:
        tables = (metric.histogram, metric.histogram_slices)
        return sum(table.untyped_storage().nbytes() for table in tables)

    weights = torch.rand(100)
    metric.update(scores, labels, weights)
    metric.compute()
    metric.reset()
    assert metric(scores, labels, weights) == metric(scores, labels, weights) == metric.compute()
    assert metric.error_bound == 0
    assert bytes_of_tables() == 16
    # More than are kept, a batch at a time.
    metric(scores, labels, weights)
    assert not metric.preds
    assert metric.histogram.any()
    of_bins = kind(exact_rows=0)
    for _ in range(3):
        of_bins.update(scores, labels, weights)
    assert metric.compute() == of_bins.compute()
    assert torch.equal(metric.histogram, of_bins.histogram)


@pytest.mark.parametrize("kind", [AUC, lambda **kwargs: MulticlassAUC(2, **kwargs)])
def test_in_a_collection_each_keeps_as_many_rows_as_it_may(kind: Any) -> None:
    limits = {"few": 150, "bins": 0, "more": 200, "many": 10_000}
    alone = {name: kind(exact_rows=limit) for name, limit in limits.items()}
    collection = MetricCollection({name: metric.clone() for name, metric in alone.items()})
    for rows in (100, 101):
        scores, labels = (torch.from_numpy(column) for column in _samples(rows, 2))
        scores = (scores * 20).round() / 20 + scores * 1e-9
        batch = (scores[:, 1] if kind is AUC else scores), labels
        collection.update(*batch)
        for metric in alone.values():
            metric.update(*batch)
    values = {name: value.item() for name, value in collection.compute().items()}
    assert values == {name: metric.compute().item() for name, metric in alone.items()}
    assert values["few"] == values["bins"] == values["more"] != values["many"]


def test_in_a_training_it_counts_in_bins() -> None:
    columns = [torch.from_numpy(column) for column in _samples(500)]
    wrapper, of_bins = TrainMetricWrapper(MulticlassAUC(3)), MulticlassAUC(3, exact_rows=0)
    wrapper.hand_over()
    wrapper.update(*columns)
    of_bins.update(*columns)
    window = wrapper.take_window()
    assert window.keys() == {"histogram", "histogram_slices", "invalid"}
    assert torch.equal(window["histogram"], of_bins.histogram)
    assert wrapper.metric.histogram.untyped_storage().nbytes() == of_bins.histogram.nbytes
    wrapper.update(*columns)
    assert torch.equal(wrapper.take_window()["histogram"], of_bins.histogram)
