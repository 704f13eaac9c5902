"""MulticlassAUC: equal to torchmetrics by thresholds, close to scikit-learn without."""

from __future__ import annotations

from typing import Literal

import pytest
import torch
from sklearn.metrics import roc_auc_score
from torchmetrics.functional.classification import multiclass_auroc

from raymon.errors import UserError
from raymon.metrics import MulticlassAUC

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
def test_without_thresholds_it_is_within_1e_4_of_the_exact_value(
    average: Literal["macro", "weighted"],
) -> None:
    preds, target = _samples(20_000, 3)
    metric = MulticlassAUC(3, average=average)
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


def test_without_thresholds_a_class_without_samples_is_left_out() -> None:
    preds, target = _samples(500, 3)
    target = target.clamp(max=1)
    metric = MulticlassAUC(3)
    metric.update(preds, target)
    areas = [roc_auc_score(target == label, preds[:, label]) for label in (0, 1)]
    assert metric.compute().item() == pytest.approx(sum(areas) / 2, abs=1e-3)


def test_a_score_of_nan_makes_the_value_nan() -> None:
    preds, target = _samples(50, 3)
    preds[7, 1] = float("nan")
    metric = MulticlassAUC(3)
    metric.update(preds, target)
    assert metric.compute().isnan()


def test_what_cannot_be_scored_is_refused() -> None:
    with pytest.raises(UserError, match=r"preds has shape \[5\]; it must be \[B, 3\]"):
        MulticlassAUC(3).update(torch.rand(5), torch.zeros(5))
    with pytest.raises(UserError, match="num_classes is 1"):
        MulticlassAUC(1)
    with pytest.raises(UserError, match="average is 'micro'; it must be macro or weighted"):
        MulticlassAUC(3, average="micro")  # type: ignore[arg-type]
