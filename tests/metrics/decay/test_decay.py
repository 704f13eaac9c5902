"""The two laws of decay, by numbers computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torchmetrics import Metric

from raymon.errors import UserError
from raymon.metrics import (
    AUC,
    PRAUC,
    Accuracy,
    DecayAUC,
    DecayedMetric,
    LogLoss,
    MeanAbsoluteError,
    MeanSquaredError,
    TrainMetricWrapper,
    take_window_states,
)

NAN = float("nan")


def _states(metric: Metric, preds: list[float], target: list[float]) -> dict[str, Tensor]:
    metric.update(torch.tensor(preds), torch.tensor(target))
    return take_window_states(metric)


def _fold_errors(decayed: DecayedMetric, *errors: float) -> list[float | None]:
    values = []
    for error in errors:
        decayed.fold(_states(MeanAbsoluteError(), [error], [0.0]))
        values.append(decayed.value)
    return values


def test_a_value_decays_by_the_law() -> None:
    values = _fold_errors(DecayedMetric(MeanAbsoluteError(), 0.9), 1.0, 2.0, 0.0)
    assert values == pytest.approx([1.0, 0.9 + 0.1 * 2.0, 0.9 * 1.1])


def test_a_value_of_0_is_a_value() -> None:
    decayed = DecayedMetric(MeanAbsoluteError(), 0.5)
    assert decayed.value is None
    assert _fold_errors(decayed, 0.0, 1.0) == [0.0, 0.5]


def test_a_fold_of_nan_is_seen_and_then_forgotten() -> None:
    values = _fold_errors(DecayedMetric(MeanAbsoluteError(), 0.5), 1.0, NAN, 3.0, 1.0)
    assert values == pytest.approx([1.0, NAN, 3.0, 2.0], nan_ok=True)


@pytest.mark.parametrize("thresholds", [None, 200])
def test_an_auc_decays_its_histogram_by_the_law(thresholds: int | None) -> None:
    first = ([0.1, 0.4, 0.35, 0.8], [0.0, 0.0, 1.0, 1.0])
    second = ([0.7, 0.2, 0.3], [0.0, 1.0, 1.0])
    decayed, metric = DecayedMetric(DecayAUC(thresholds), 0.75), DecayAUC(thresholds)
    assert metric.decayed.sum() == 0
    for preds, target in (first, second):
        decayed.fold(_states(AUC(thresholds, exact_rows=0), preds, target))
        metric.update(torch.tensor(preds), torch.tensor(target))
        metric.decay(0.75)
    expected = roc_auc_score(
        first[1] + second[1], first[0] + second[0], sample_weight=[0.75] * 4 + [0.25] * 3
    )
    assert decayed.value == pytest.approx(expected, abs=1e-12)
    assert metric.compute().item() == decayed.value
    assert decayed.error_bound == metric.error_bound.item() == 0.0


def test_the_first_fold_of_an_auc_is_the_buffer_itself() -> None:
    metric = DecayAUC()
    metric.update(torch.tensor([0.1, 0.9]), torch.tensor([0, 1]))
    buffer = metric.histogram.clone()
    metric.decay(0.9)
    assert torch.equal(metric.decayed, buffer.double())
    assert metric.histogram.sum() == 0
    assert metric.histogram.dtype == torch.int64


def test_an_auc_is_0_before_the_first_fold() -> None:
    metric = DecayAUC()
    metric.update(torch.tensor([0.1, 0.9]), torch.tensor([0, 1]))
    assert metric.compute().item() == 0.0
    assert DecayedMetric(DecayAUC(), 0.9).value is None
    metric.decay(0.9)
    assert metric.compute().item() == 1.0


def test_an_auc_forgets_a_fold_of_nan() -> None:
    decayed = DecayedMetric(DecayAUC(), 0.9)
    values = []
    for preds in ([0.1, 0.9], [NAN, 0.9], [0.9, 0.1]):
        decayed.fold(_states(DecayAUC(), preds, [0.0, 1.0]))
        values.append(decayed.value)
    assert values == pytest.approx([1.0, NAN, 0.0], nan_ok=True)


@pytest.mark.parametrize("prototype", [DecayAUC(), DecayAUC(50), Accuracy()], ids=repr)
def test_a_restored_value_goes_on_as_if_it_had_never_stopped(prototype: Metric) -> None:
    generator = torch.Generator().manual_seed(0)
    folds = []
    for _ in range(4):
        metric = type(prototype)()
        if isinstance(prototype, DecayAUC):
            metric = DecayAUC(prototype.thresholds)
        metric.update(
            torch.rand(50, generator=generator), torch.rand(50, generator=generator).round()
        )
        folds.append(take_window_states(metric))
    undisturbed, restored = DecayedMetric(prototype, 0.8), DecayedMetric(prototype, 0.8)
    for number, states in enumerate(folds):
        undisturbed.fold(states)
        resumed = DecayedMetric(prototype, 0.8)
        resumed.load_state_dict(restored.state_dict())
        resumed.fold(states)
        assert resumed.value == undisturbed.value, number
        restored = resumed
    restored.load_state_dict({})
    assert restored.value is None


def test_a_saved_state_does_not_change_with_later_folds() -> None:
    decayed = DecayedMetric(MeanAbsoluteError(), 0.5)
    _fold_errors(decayed, 1.0)
    saved = decayed.state_dict()
    _fold_errors(decayed, 5.0)
    assert saved["decayed"].item() == 1.0
    assert decayed.error_bound is None


def test_a_rate_outside_0_and_1_is_refused() -> None:
    with pytest.raises(UserError, match=r"decay_rate is 1.5; it must be in \[0, 1\]"):
        DecayedMetric(DecayAUC(), 1.5)


def test_a_fold_without_a_positive_leaves_the_value_as_it_was() -> None:
    wrapper = TrainMetricWrapper(PRAUC(), decay_rate=0.5, decay_step=1)
    wrapper.update(torch.tensor([0.2, 0.9]), torch.tensor([0, 1]))
    wrapper.update(torch.tensor([0.2, 0.9]), torch.tensor([0, 0]))
    assert wrapper.compute().item() == 1.0
    wrapper.update(torch.tensor([0.2, 0.9]), torch.tensor([1, 0]))
    assert wrapper.compute().item() == 0.75


def test_one_infinite_value_does_not_stay() -> None:
    wrapper = TrainMetricWrapper(MeanSquaredError(), decay_rate=0.5, decay_step=1)
    for score in (1.0, float("inf"), 1.0):
        wrapper.update(torch.tensor([score]), torch.tensor([0.0]))
    assert wrapper.compute().item() == 1.0


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
@pytest.mark.parametrize("thresholds", [None, 200])
def test_folds_of_one_class_have_no_value_until_there_is_the_other(thresholds: int | None) -> None:
    decayed, metric = DecayedMetric(DecayAUC(thresholds), 0.5), DecayAUC(thresholds)
    assert decayed.value is None
    assert metric.compute() == 0.0
    values = []
    for target in ([0.0, 0.0], [0.0, 0.0], [1.0, 1.0], [0.0, 0.0], [1.0, 1.0]):
        decayed.fold(_states(DecayAUC(thresholds), [0.2, 0.6], target))
        metric.update(torch.tensor([0.2, 0.6]), torch.tensor(target))
        metric.decay(0.5)
        assert metric.compute().item() == pytest.approx(decayed.value, nan_ok=True)
        assert np.isnan(decayed.error_bound) == np.isnan(decayed.value)
        values.append((decayed.value, decayed.why_no_value()))
    why = "there is one class alone (labels are all 0)"
    assert [each for _, each in values] == [why, why, None, None, None]
    # Both classes have the same scores.
    assert [value for value, _ in values[2:]] == pytest.approx([0.5] * 3)


def test_a_fold_without_a_value_leaves_the_value_and_bad_labels_do_not_hide_that() -> None:
    decayed = DecayedMetric(PRAUC(exact_rows=0), 0.5)
    values = []
    for target in ([0.0, 0.0], [0.0, 1.0], [0.0, 0.0], [-1.0, 0.0], [0.0, 1.0]):
        decayed.fold(_states(PRAUC(exact_rows=0), [0.2, 0.6], target))
        values.append((decayed.value, decayed.why_no_value()))
    assert values[0] == (pytest.approx(NAN, nan_ok=True), "there is no positive (labels are all 0)")
    assert values[1:] == [(1.0, None)] * 4


def test_a_fold_of_nan_scores_says_so_and_is_gone_with_the_next() -> None:
    for metric in (DecayAUC(), LogLoss()):
        decayed = DecayedMetric(metric, 0.5)
        for scores in ([0.2, 0.6], [0.2, NAN], [0.2, 0.6]):
            decayed.fold(_states(type(metric)(), scores, [0.0, 1.0]))
            assert np.isnan(decayed.value) == np.isnan(sum(scores))
            assert (decayed.why_no_value() is None) == (not np.isnan(decayed.value))
