"""MulticlassAUC by bins: equal to torchmetrics by thresholds, close to scikit-learn without."""

from __future__ import annotations

from typing import Literal

import pytest
import torch
from sklearn.metrics import roc_auc_score
from torchmetrics.functional.classification import multiclass_auroc

from raymon.errors import UserError
from raymon.metrics.auc import AUC
from raymon.metrics.multiclass_auc import MulticlassAUC
from raymon.metrics.numerics.fixed_point import WEIGHT_BITS

AVERAGES: list[Literal["macro", "weighted"]] = ["macro", "weighted"]


def _samples(rows: int, classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(rows)
    logits = torch.randn(rows, classes, generator=generator) - torch.arange(classes) / 2
    preds = logits.softmax(1)
    return preds, torch.multinomial(preds, 1, generator=generator).squeeze(1)


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("thresholds", [5, 200])
def test_by_thresholds_it_is_the_value_of_torchmetrics(
    average: Literal["macro", "weighted"], thresholds: int
) -> None:
    preds, target = _samples(2_000, 4)
    preds[:4] = torch.eye(4)
    metric = MulticlassAUC(4, thresholds, average)
    for part in range(4):
        metric.update(preds[part::4], target[part::4])
    expected = multiclass_auroc(preds, target, 4, average=average, thresholds=thresholds)
    assert metric.compute().item() == pytest.approx(expected.item(), abs=1e-6)


@pytest.mark.parametrize("average", AVERAGES)
def test_by_accurate_bins_it_is_within_1e_4_of_the_exact_value(
    average: Literal["macro", "weighted"],
) -> None:
    preds, target = _samples(20_000, 3)
    metric = MulticlassAUC(3, average=average, exact_rows=0)
    metric.update(preds, target)
    expected = roc_auc_score(target, preds.double(), multi_class="ovr", average=average)
    assert metric.compute().item() == pytest.approx(expected, abs=1e-4)


def test_by_thresholds_a_class_without_samples_counts_0_as_in_torchmetrics() -> None:
    preds, target = _samples(500, 3)
    target = target.clamp(max=1)
    metric = MulticlassAUC(3, thresholds=50)
    metric.update(preds, target)
    expected = multiclass_auroc(preds, target, 3, thresholds=50)
    assert metric.compute().item() == pytest.approx(expected.item(), abs=1e-6)


@pytest.mark.parametrize("exact_rows", [None, 0])
def test_without_thresholds_a_class_without_samples_is_left_out(exact_rows: int | None) -> None:
    preds, target = _samples(500, 3)
    target = target.clamp(max=1)
    metric = MulticlassAUC(3, exact_rows=exact_rows)
    metric.update(preds, target)
    areas = [roc_auc_score(target == label, preds[:, label]) for label in (0, 1)]
    assert metric.compute().item() == pytest.approx(sum(areas) / 2, abs=1e-3)
    assert metric.details() == {"classes": 2, "classes_skipped": 1}


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize(("thresholds", "exact_rows"), [(None, 2_000), (None, 0), (50, 0)])
@pytest.mark.parametrize("weighted", [False, True])
def test_value_and_bound_are_the_means_of_those_of_one_class_against_the_rest(
    average: Literal["macro", "weighted"], thresholds: int | None, exact_rows: int, weighted: bool
) -> None:
    preds, target = _samples(2_000, 4)
    preds[:4] = torch.eye(4)
    weights = torch.randint(1, 9, (2_000,)) / 4 if weighted else torch.ones(2_000)
    metric = MulticlassAUC(4, thresholds, average, exact_rows)
    metric.update(preds, target, weights)
    share = torch.zeros(4).index_add(0, target, weights).double()
    share = share / share.sum() if average == "weighted" else torch.full((4,), 0.25).double()
    value, bound = 0.0, 0.0
    for label in range(4):
        alone = AUC(thresholds, exact_rows)
        alone.update(preds[:, label], target == label, weights)
        value += share[label].item() * alone.compute().item()
        assert alone.error_bound is not None
        bound += share[label].item() * alone.error_bound.item()
    assert metric.compute().item() == pytest.approx(value, rel=1e-12)
    assert metric.error_bound is not None
    assert metric.error_bound.item() == pytest.approx(bound, rel=1e-12)


@pytest.mark.parametrize("thresholds", [None, 5, 50])
@pytest.mark.parametrize("average", AVERAGES)
def test_it_is_never_farther_from_the_exact_value_than_its_bound(
    average: Literal["macro", "weighted"], thresholds: int | None
) -> None:
    for rows in (10, 100, 2_000):
        preds, target = _samples(rows, 3)
        target[:3] = torch.arange(3)
        metric = MulticlassAUC(3, thresholds, average, exact_rows=0)
        metric.update(preds, target)
        exact = roc_auc_score(target, preds.double(), multi_class="ovr", average=average)
        error = abs(metric.compute().item() - exact)
        assert metric.error_bound is not None
        assert error <= metric.error_bound.item() + 1e-12


@pytest.mark.parametrize("thresholds", [None, 50])
def test_a_label_that_is_no_class_is_the_rest_to_all(thresholds: int | None) -> None:
    preds, target = _samples(300, 3)
    labels = target.double()
    no_class = torch.tensor([-1.0, 3.0, 0.5, float("nan"), float("inf"), 1e300])
    labels[:6] = no_class
    metric, expected = (MulticlassAUC(3, thresholds, exact_rows=0) for _ in range(2))
    metric.update(preds, labels)
    expected.update(preds[6:], target[6:])
    rest = metric.histogram - expected.histogram
    assert rest.sum((1, 2)).tolist() == [6 << WEIGHT_BITS] * 3
    assert not rest[:, 1].any()
    metric.compute()
    assert metric.input_errors() == {"labels that are no class": 6}


def test_without_a_class_that_has_both_sides_there_is_no_value() -> None:
    for thresholds in (None, 50):
        for target in (torch.empty(0), torch.full((5,), -1)):
            metric = MulticlassAUC(3, thresholds)
            metric.update(torch.rand(len(target), 3), target)
            assert metric.compute().isnan()
            assert metric.error_bound is not None
            assert metric.error_bound.isnan()
            assert metric.details() == {"classes": 0, "classes_skipped": 3}
            why = "no class has both sides" if len(target) else "there are no rows"
            assert (metric.why_no_value() or "").startswith(why)


def test_a_score_of_nan_makes_the_value_nan() -> None:
    preds, target = _samples(50, 3)
    preds[7, 1] = float("nan")
    metric = MulticlassAUC(3, exact_rows=0)
    metric.update(preds, target)
    assert metric.compute().isnan()


def test_what_cannot_be_scored_is_refused() -> None:
    with pytest.raises(UserError, match=r"preds has shape \[5\]; it must be \[B, 3\]"):
        MulticlassAUC(3).update(torch.rand(5), torch.zeros(5))
    with pytest.raises(UserError, match="num_classes is 1"):
        MulticlassAUC(1)
    with pytest.raises(UserError, match="exact_rows is -1; it must be 0 or more"):
        MulticlassAUC(3, exact_rows=-1)
    with pytest.raises(UserError, match="MulticlassAUC: thresholds is 1; it must be at least 2"):
        MulticlassAUC(3, 1)
    with pytest.raises(UserError, match="average is 'micro'; it must be macro or weighted"):
        MulticlassAUC(3, average="micro")
