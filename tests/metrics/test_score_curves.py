"""What plots show of the scores of an AUC is what scikit-learn makes of the same rows."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import precision_recall_curve, roc_auc_score, roc_curve

from raymon.metrics import AUC, PRAUC, GroupedAUC, ScoreHistogram
from raymon.metrics.numerics.class_counts import ClassCounts
from raymon.metrics.numerics.curve_points import POINTS, pr_points, roc_points
from raymon.metrics.numerics.exact_counts import scores_and_counts
from raymon.results import ScoreCurves
from raymon.storage import to_json

FINEST = 1.3e-4
"""The widest of the fine bins."""


def clicks(rows: int, rate: float = -2.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    logits = rng.normal(rate, 1.2, rows)
    scores = (1 / (1 + np.exp(-logits))).astype(np.float32)
    return scores, (rng.random(rows) < scores).astype(np.int64)


def curves(
    *columns: np.ndarray, metric: ScoreHistogram | None = None, cuts: tuple[int, ...] = ()
) -> ScoreCurves | None:
    metric = AUC() if metric is None else metric
    metric.draws_curves = True
    for start, end in pairwise([0, *cuts, len(columns[0])]):
        metric.update(*(torch.from_numpy(column[start:end]) for column in columns))
    metric.compute()
    return metric.curves()


def drawn(*columns: np.ndarray, **kwargs) -> ScoreCurves:
    found = curves(*columns, **kwargs)
    assert found is not None
    return found


def away(x: np.ndarray, y: np.ndarray, line_x: np.ndarray, line_y: np.ndarray) -> float:
    """Returns the largest distance of points from a line through others."""
    ends = np.stack([line_x, line_y], 1)
    steps, points = np.diff(ends, axis=0), np.stack([x, y], 1)[:, None]
    length = np.maximum((steps**2).sum(1), 1e-300)
    at = (((points - ends[:-1]) * steps).sum(2) / length).clip(0, 1)
    return float(np.linalg.norm(ends[:-1] + at[..., None] * steps - points, axis=2).min(1).max())


@pytest.mark.parametrize("weighted", [False, True])
def test_few_rows_have_every_corner_of_the_curves_of_scikit_learn(weighted: bool) -> None:
    scores, labels = clicks(120)
    weights = [np.random.default_rng(1).gamma(1, 2, 120)] if weighted else []
    found = drawn(scores, labels, *weights)
    given_weights = weights[0] if weighted else None
    false, true, _ = roc_curve(labels, scores, sample_weight=given_weights)
    assert (found.false_positive_rate[0], found.true_positive_rate[0]) == (0, 0)
    corners = false, true
    line = np.array(found.false_positive_rate), np.array(found.true_positive_rate)
    assert away(*corners, *line) < 1e-5
    assert away(*line, *corners) < 1e-5
    precision, recall, _ = precision_recall_curve(labels, scores, sample_weight=given_weights)
    # Its last point, of precision 1, is of no rows.
    corners = recall[-2::-1], precision[-2::-1]
    line = np.array(found.recall), np.array(found.precision)
    assert away(*corners, *line) < 1e-5
    assert away(*line, *corners) < 1e-5


@pytest.mark.parametrize("rows", [5_000, 100_000])
@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("rate", [-5.0, 1.0])
def test_of_many_rows_the_lines_through_a_few_points_are_the_curves_of_scikit_learn(
    rows: int, exact: bool, rate: float
) -> None:
    scores, labels = clicks(rows, rate)
    found = drawn(scores, labels, metric=AUC() if exact else AUC(exact_rows=0))
    for x in (found.false_positive_rate, found.recall):
        assert len(x) <= POINTS
        assert list(x) == sorted(x)
    false, true, _ = roc_curve(labels, scores)
    # A point of a fine bin is within the step of the rows in it.
    some = np.random.default_rng(0).integers(0, len(false), 500)
    line = np.array(found.false_positive_rate), np.array(found.true_positive_rate)
    assert away(false[some], true[some], *line) < 0.01
    precision, recall, _ = precision_recall_curve(labels, scores)
    settled = np.flatnonzero(recall * labels.sum() > 30)
    some = np.random.default_rng(0).choice(settled, 500)
    line = np.array(found.recall), np.array(found.precision)
    assert away(recall[some], precision[some], *line) < 0.02


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(
        st.tuples(
            st.floats(0, 1, width=32) | st.sampled_from([0.0, 0.5, 1.0]),
            st.booleans(),
            st.sampled_from([0.25, 1.0, 3.0, 1e-3]),
        ),
        min_size=1,
        max_size=60,
    ),
    weighted=st.booleans(),
    thresholds=st.sampled_from([None, 2, 5, 200]),
    wide=st.booleans(),
)
def test_the_area_under_all_points_is_the_value_of_the_metric(
    rows, weighted, thresholds, wide
) -> None:
    preds = torch.tensor([row[0] for row in rows], dtype=torch.float64 if wide else torch.float32)
    target = torch.tensor([row[1] for row in rows], dtype=torch.float32)
    weights = torch.tensor([row[2] for row in rows], dtype=torch.float64) if weighted else None
    metric = AUC(thresholds)
    metric.draws_curves = True
    metric.update(preds, target, weights)
    value = metric.compute().item()
    if thresholds is None:
        scores, table = scores_and_counts(preds, target, weights)
        assert scores.tolist() == sorted(set(preds.tolist()))
        counts = ClassCounts(scores, *table[:, :-1].numpy())
    else:
        edges = np.append(np.linspace(0, 1, thresholds), 1)
        table = metric.counts()
        counts = ClassCounts.of_bins(edges, table[:, :-1].numpy(), 1.0, by_thresholds=True)
    x, y = roc_points(counts, np.arange(len(counts.scores)))
    if np.isnan(value):
        assert len(x) == 0
    else:
        assert np.trapezoid(y, x) == pytest.approx(value, abs=1e-12)
        found = metric.curves()
        assert found is not None
        few = np.trapezoid(found.true_positive_rate, found.false_positive_rate)
        assert few == pytest.approx(value, abs=1e-5)
    recall, precision = pr_points(counts, np.arange(len(counts.scores)))
    if len(recall) and thresholds is None:
        average = PRAUC()
        average.update(preds, target, weights)
        steps = np.diff(recall, prepend=0)
        assert (steps * precision).sum() == pytest.approx(average.compute().item(), abs=1e-12)


@pytest.mark.parametrize("exact", [True, False])
def test_the_area_under_the_points_is_the_auc_to_what_a_plot_shows(exact: bool) -> None:
    scores, labels = clicks(100_000)
    found = drawn(scores, labels, metric=AUC() if exact else AUC(exact_rows=0))
    area = np.trapezoid(found.true_positive_rate, found.false_positive_rate)
    assert area == pytest.approx(roc_auc_score(labels, scores), abs=1e-4)


@settings(deadline=None, max_examples=60)
@given(
    scores=st.lists(st.floats(0, 1, width=32) | st.sampled_from([0.5, 0.5 + 1e-6]), min_size=1),
    bins=st.sampled_from([None, 0, 5]),
    random=st.randoms(use_true_random=False),
)
def test_the_histogram_has_every_row_of_each_class_between_the_right_edges(
    scores, bins, random
) -> None:
    labels = np.array([random.random() < 0.5 for _ in scores]).astype(np.int64)
    column = np.array(scores, np.float32)
    metric = AUC(5) if bins == 5 else AUC() if bins is None else AUC(exact_rows=0)
    found = drawn(column, labels, metric=metric)
    assert list(found.edges) == sorted(set(found.edges))
    for side, counts in ((0, found.negative), (1, found.positive)):
        mine = column[labels == side]
        assert sum(counts) == len(mine)
        if bins is None:
            assert counts == np.histogram(mine, found.edges)[0].tolist()
        else:
            # A score is between the edges of its bin of the counts, as they are written.
            below = [sum(counts[: i + 1]) for i in range(len(counts))]
            for edge, count in zip(found.edges[1:], below, strict=True):
                least, most = (mine < edge - 1e-8).sum(), (mine <= edge + 1e-8).sum()
                assert least <= count <= most


def test_calibration_is_that_of_scikit_learn_by_quantiles() -> None:
    scores, labels = clicks(10_000)
    observed, predicted = calibration_curve(labels, scores, n_bins=20, strategy="quantile")
    exact = drawn(scores, labels)
    assert exact.predicted == pytest.approx(predicted, rel=1e-6)
    assert exact.observed == pytest.approx(observed, rel=1e-8)
    assert exact.weight == [500] * 20
    fine = drawn(scores, labels, metric=AUC(exact_rows=0))
    assert fine.weight == pytest.approx([500] * 20, abs=20)
    assert sum(fine.weight) == 10_000
    assert fine.predicted == pytest.approx(predicted, abs=5e-4)


def test_rows_of_one_score_are_in_one_bin_of_calibration() -> None:
    scores = np.repeat(np.array([0.1, 0.2, 0.6], np.float32), [10, 900, 90])
    labels = np.zeros(1000, np.int64)
    labels[[0, 20, 30, 950]] = 1
    found = drawn(scores, labels)
    assert found.predicted == pytest.approx([0.1, 0.2, 0.6], rel=1e-7)
    assert found.weight == [10, 900, 90]
    assert found.observed == pytest.approx([1 / 10, 2 / 900, 1 / 90])


def test_a_weight_counts_as_so_many_rows() -> None:
    scores, labels = clicks(500)
    times = np.random.default_rng(2).integers(1, 5, 500)
    weighted = drawn(scores, labels, times.astype(np.float64))
    repeated = drawn(np.repeat(scores, times), np.repeat(labels, times))
    for name, numbers in asdict(repeated).items():
        assert getattr(weighted, name) == pytest.approx(numbers, rel=1e-6)
    # Also where all weights are equal, and the metric counts rows.
    equal = drawn(scores, labels, np.full(500, 2.5))
    assert sum(equal.negative) + sum(equal.positive) == 1250
    assert sum(equal.weight) == pytest.approx(1250)


@settings(deadline=None, max_examples=30)
@given(
    rows=st.lists(
        st.tuples(st.floats(0, 1, width=32), st.booleans(), st.sampled_from([0.3, 1.0, 7e-3])),
        min_size=1,
        max_size=50,
    ),
    cuts=st.lists(st.integers(0, 50), max_size=3),
    exact_rows=st.sampled_from([100, 10, 0]),
    random=st.randoms(use_true_random=False),
)
def test_order_and_parts_of_the_rows_change_no_bit(rows, cuts, exact_rows, random) -> None:
    def found(rows, cuts=()) -> dict:
        columns = (np.array(column) for column in zip(*rows, strict=True))
        scores, labels, weights = columns
        metric = AUC(exact_rows=exact_rows)
        return asdict(
            drawn(
                scores.astype(np.float32),
                labels.astype(np.int64),
                weights,
                metric=metric,
                cuts=tuple(sorted(min(cut, len(rows)) for cut in cuts)),
            )
        )

    whole = found(rows)
    random.shuffle(rows)
    assert found(rows, cuts) == whole


NAN = float("nan")


@pytest.mark.parametrize("exact_rows", [100, 0])
def test_what_has_no_value_has_no_curve(exact_rows: int) -> None:
    def found(scores, labels, *weights) -> ScoreCurves | None:
        columns = (np.array(scores, np.float32), np.array(labels), *map(np.array, weights))
        return curves(*columns, metric=AUC(exact_rows=exact_rows))

    assert found([], []) is None
    assert found([0.1, NAN], [0, 1]) is None
    assert found([0.1, 0.2], [0, 1], [1.0, -1.0]) is None
    assert found([0.1, 0.2], [0, 1], [0.0, 0.0]) is None
    negatives, positives = found([0.1, 0.2], [0, 0]), found([0.1, 0.2], [1, 1])
    assert negatives is not None
    assert positives is not None
    for one in (negatives, positives):
        assert one.false_positive_rate == one.true_positive_rate == []
        assert len(one.predicted) == 2
    assert negatives.observed == [0, 0]
    assert negatives.recall == negatives.precision == []
    assert positives.precision == [1, 1]
    # A label that is neither 0 nor 1 counts as in the value, which is there.
    wrong = found([0.1, 0.2], [0, 7])
    assert wrong is not None
    assert wrong.positive == [0, 1] or sum(wrong.positive) == 1


def test_scores_outside_of_0_and_1_are_in_the_outermost_bins() -> None:
    found = drawn(np.array([-3, 0.5, 9], np.float32), np.array([0, 1, 1]))
    assert (found.edges[0], found.edges[-1]) == (0, 1)
    assert sum(found.negative) + sum(found.positive) == 3


def test_calibration_has_no_value_between_thresholds_that_are_far_apart() -> None:
    scores, labels = clicks(1000)
    far, near = (drawn(scores, labels, metric=AUC(n)) for n in (100, 2001))
    assert far.predicted == far.observed == far.weight == []
    assert len(far.false_positive_rate) > 20
    assert len(near.predicted) > 10


def test_one_score_alone_has_a_bin_around_it() -> None:
    for exact_rows in (100, 0):
        found = drawn(
            np.full(10, 0.3, np.float32), np.arange(10) % 2, metric=AUC(exact_rows=exact_rows)
        )
        assert found.negative == found.positive == [5]
        assert found.edges[0] < 0.3 < found.edges[1]
        assert found.predicted == pytest.approx([0.3], abs=FINEST)
        assert (found.false_positive_rate, found.true_positive_rate) == ([0, 1], [0, 1])


def test_curves_are_drawn_where_they_are_asked_for_alone() -> None:
    metric = AUC()
    metric.update(torch.rand(10), torch.arange(10) % 2)
    metric.compute()
    assert metric.curves() is None
    metric.draws_curves = True
    metric.reset()
    metric.update(torch.rand(10), torch.arange(10) % 2)
    metric.compute()
    assert metric.curves() is not None
    metric.reset()
    assert metric.curves() is None


def test_three_heads_with_weights_take_at_most_30_kb_of_a_line() -> None:
    scores, labels = clicks(50_000)
    weights = np.random.default_rng(3).gamma(1, 1, 50_000)
    text = to_json({name: drawn(scores, labels, weights).to_json() for name in "abc"})
    assert len(text) < 29_000
    assert json.loads(text).keys() == {"a", "b", "c"}


def test_figures_of_groups_are_counted_once_each() -> None:
    rng = np.random.default_rng(0)
    rows, groups = 3000, 200
    key, scores = rng.integers(0, groups, rows), rng.random(rows).astype(np.float32)
    labels = (rng.random(rows) < scores).astype(np.int64)
    metric = GroupedAUC()
    metric.update(*(torch.from_numpy(column) for column in (scores, labels, key)))
    metric.compute()
    found = metric.figures()
    assert found is not None
    areas = np.sort(
        [
            roc_auc_score(labels[key == k], scores[key == k])
            for k in range(groups)
            if len(set(labels[key == k])) == 2
        ]
    )
    # Those of scikit-learn are rounded otherwise.
    edges = np.array(found.edges) + np.array([-1e-9] * 50 + [1e-9])
    assert found.groups == np.histogram(areas, edges)[0].tolist()
    for share, value in found.quantiles.items():
        exact = np.quantile(areas, float(share), method="inverted_cdf")
        assert value == pytest.approx(exact, abs=5.001e-4)


def test_groups_without_a_value_have_no_figures() -> None:
    for scores, labels in (([], []), ([0.1, 0.2], [1, 1]), ([0.1, NAN], [0, 1])):
        metric = GroupedAUC()
        metric.update(torch.tensor(scores), torch.tensor(labels), torch.zeros(len(scores)).long())
        metric.compute()
        assert metric.figures() is None
