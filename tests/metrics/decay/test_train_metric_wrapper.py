"""TrainMetricWrapper: folds by itself, or leaves it to a monitor; never asks other ranks."""

from __future__ import annotations

import pickle

import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

from raymon.errors import UserError
from raymon.metrics import DecayAUC, MeanAbsoluteError, TrainMetricWrapper
from raymon.metrics.numerics.exact_sum import exact_total

ZERO = torch.tensor([0.0])


def _with_errors(wrapper: TrainMetricWrapper, *errors: float) -> list[float]:
    values = []
    for error in errors:
        wrapper.update(torch.tensor([error]), ZERO)
        values.append(wrapper.compute().item())
    return values


def test_it_folds_every_decay_step_updates_and_is_0_before() -> None:
    wrapper = TrainMetricWrapper(MeanAbsoluteError(), decay_rate=0.9, decay_step=2)
    values = _with_errors(wrapper, 1.0, 3.0, 5.0, 7.0, 9.0)
    assert values == pytest.approx([0.0, 2.0, 2.0, 0.9 * 2 + 0.1 * 6, 2.4])


def test_a_value_of_0_is_a_value() -> None:
    wrapper = TrainMetricWrapper(MeanAbsoluteError(), decay_rate=0.5, decay_step=1)
    assert _with_errors(wrapper, 0.0, 1.0) == [0.0, 0.5]


def test_a_decayed_auc_decays_its_samples() -> None:
    wrapper = TrainMetricWrapper(DecayAUC(), decay_rate=0.75, decay_step=1)
    wrapper.update(torch.tensor([0.1, 0.4, 0.35, 0.8]), torch.tensor([0, 0, 1, 1]))
    wrapper.update(torch.tensor([0.7, 0.2]), torch.tensor([0, 1]))
    expected = roc_auc_score(
        [0, 0, 1, 1, 0, 1], [0.1, 0.4, 0.35, 0.8, 0.7, 0.2], sample_weight=[0.75] * 4 + [0.25] * 2
    )
    assert wrapper.compute().item() == pytest.approx(expected, abs=1e-12)


def test_handed_over_it_only_adds_up() -> None:
    wrapper = TrainMetricWrapper(MeanAbsoluteError(), decay_step=2)
    _with_errors(wrapper, 1.0)
    wrapper.hand_over()
    assert _with_errors(wrapper, 2.0, 3.0, 4.0) == [0.0, 0.0, 0.0]
    assert exact_total(wrapper.take_window()["absolute_error"]).item() == 10.0
    assert exact_total(wrapper.take_window()["absolute_error"]).item() == 0.0


@pytest.mark.parametrize("value", [0.71, 0.0])
def test_a_published_value_is_the_value(value: float) -> None:
    wrapper = TrainMetricWrapper(MeanAbsoluteError(), decay_step=1)
    _with_errors(wrapper, 1.0)
    wrapper.hand_over()
    wrapper.publish(value)
    assert wrapper.compute().item() == value


def test_what_is_measured_keeps_no_graph() -> None:
    wrapper = TrainMetricWrapper(MeanAbsoluteError(), decay_step=1)
    wrapper.update(torch.tensor([1.0], requires_grad=True), ZERO)
    assert not wrapper.compute().requires_grad


def test_a_copy_through_pickle_goes_on_where_it_was() -> None:
    wrapper = TrainMetricWrapper(DecayAUC(50), decay_rate=0.5, decay_step=2)
    generator = torch.Generator().manual_seed(0)
    batches = [
        (torch.rand(20, generator=generator), torch.rand(20, generator=generator).round())
        for _ in range(8)
    ]
    for batch in batches[:3]:
        wrapper.update(*batch)
    copy = pickle.loads(pickle.dumps(wrapper))
    for batch in batches[3:]:
        wrapper.update(*batch)
        copy.update(*batch)
    assert copy.compute().item() == wrapper.compute().item() > 0


def test_it_moves_with_the_model_that_holds_it() -> None:
    model = nn.ModuleDict({"auc": TrainMetricWrapper(DecayAUC())}).to("meta")
    wrapper = model["auc"]
    wrapper.update(torch.rand(3, device="meta"), torch.ones(3, device="meta"))
    assert wrapper.take_window()["histogram"].device.type == "meta"
    assert wrapper.metric.histogram.device.type == "meta"


def test_settings_without_sense_are_refused() -> None:
    with pytest.raises(UserError, match="decay_step is 0; it must be at least 1"):
        TrainMetricWrapper(DecayAUC(), decay_step=0)
    with pytest.raises(UserError, match="decay_rate is -1"):
        TrainMetricWrapper(DecayAUC(), decay_rate=-1)
