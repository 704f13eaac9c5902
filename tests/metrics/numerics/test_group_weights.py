"""Weights of rows count by their ratios: within a group, and to all rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from raymon.metrics import XAUC, BinnedXAUC, GroupedAUC, GroupedXAUC, NDCGAtK
from raymon.metrics.base.grouped_metric import GroupedMetric
from raymon.metrics.numerics.fixed_point import relative_units
from raymon.metrics.numerics.group_weights import group_units

SCALES = torch.tensor([1e-20, 1e-9, 1e-3, 1.0, 1e12], dtype=torch.float64)


@pytest.mark.parametrize("kind", [GroupedAUC, NDCGAtK, GroupedXAUC, lambda: GroupedXAUC(20)])
def test_groups_of_small_weights_count_as_others(kind: Callable[[], GroupedMetric]) -> None:
    generator = torch.Generator().manual_seed(0)
    preds = torch.rand(3_000, generator=generator)
    target = (torch.rand(3_000, generator=generator) < preds).float()
    key = torch.randint(0, 5, (3_000,), generator=generator)
    weights = torch.rand(3_000, generator=generator).double()
    plain, scaled, unweighted, equal = (kind() for _ in range(4))
    plain.update(preds, target, key, weights)
    scaled.update(preds, target, key, weights * SCALES[key])
    assert scaled.compute().item() == pytest.approx(plain.compute().item(), rel=1e-9)
    unweighted.update(preds, target, key)
    equal.update(preds, target, key, SCALES[key])
    assert equal.compute().item() == pytest.approx(unweighted.compute().item(), rel=1e-12)
    assert equal.details() == unweighted.details()


@pytest.mark.parametrize("ratio", [1e-6, 1e-9, 1e-12, 1e-15])
@pytest.mark.parametrize("light", [0, 1])
def test_a_class_of_a_group_may_weigh_next_to_nothing_beside_the_other(
    ratio: float, light: int
) -> None:
    rng = np.random.default_rng(4)
    preds, key = rng.random(2_000), rng.integers(0, 20, 2_000)
    target = (rng.random(2_000) < preds).astype(np.int64)
    weights = rng.gamma(2, 1, 2_000) * np.where(target == light, ratio, 1.0)
    areas = [
        roc_auc_score(target[rows], preds[rows], sample_weight=weights[rows])
        for rows in (key == group for group in range(20))
    ]
    metric = GroupedAUC()
    metric.update(*(torch.from_numpy(column) for column in (preds, target, key, weights)))
    assert metric.compute().item() == pytest.approx(np.mean(areas), rel=1e-11)


@pytest.mark.parametrize("kind", [XAUC, lambda: XAUC(in_batch=True), BinnedXAUC])
@pytest.mark.parametrize("scale", [1e-12, 1e-7, 1e12])
def test_xauc_does_not_know_how_large_weights_are(
    kind: Callable[[], XAUC | BinnedXAUC], scale: float
) -> None:
    generator = torch.Generator().manual_seed(0)
    preds, target, weights = torch.rand(3, 500, generator=generator).double()
    plain, scaled = kind(), kind()
    plain.update(preds, target, weights)
    scaled.update(preds, target, weights * scale)
    assert scaled.compute().item() == pytest.approx(plain.compute().item(), rel=1e-9)


def test_units_fit_in_64_bits_and_none_above_0_vanishes_in_its_group() -> None:
    rows = 1_000_000
    key = np.arange(rows) % 3
    weights = np.full(rows, 1e30)
    weights[key == 1] = 1e-30
    weights[key == 2] = np.where(np.arange(rows) % 2, 1.0, 1e-30)[key == 2]
    units = group_units(key, weights)
    assert units is not None
    for group in range(3):
        assert units[key == group].min() > 0
        assert units[key == group].astype(object).sum() < 1 << 62
    assert relative_units(torch.from_numpy(weights)).numpy().astype(object).sum() < 1 << 62
    assert relative_units(torch.zeros(3, dtype=torch.float64)).tolist() == [0, 0, 0]
