import pytest
import torch

from raymon.errors import UserError
from raymon.metrics import Accuracy, DecayAUC, TrainMetricWrapper
from raymon.metrics.fixed_point import WEIGHT_BITS
from raymon.metrics.waiting_updates import WaitingUpdates, join


def test_updates_of_equal_form_are_joined_row_by_row() -> None:
    waiting = WaitingUpdates()
    waiting.add((torch.tensor([0.1, 0.2]), torch.tensor([0.0, 1.0])), {"w": torch.ones(2)})
    waiting.add((torch.tensor([0.3]), torch.tensor([1.0])), {"w": torch.zeros(1)})
    assert waiting.rows == 3
    ((args, kwargs),) = join(waiting.take())
    assert torch.equal(args[0], torch.tensor([0.1, 0.2, 0.3]))
    assert torch.equal(args[1], torch.tensor([0.0, 1.0, 1.0]))
    assert torch.equal(kwargs["w"], torch.tensor([1.0, 1.0, 0.0]))
    assert join(waiting.take()) == []


def test_updates_that_differ_in_form_stay_apart() -> None:
    waiting = WaitingUpdates()
    waiting.add((torch.zeros(2, 3), torch.zeros(2)), {})
    waiting.add((torch.zeros(2, 4), torch.zeros(2)), {})
    assert len(join(waiting.take())) == 2
    waiting.add((torch.zeros(2), torch.zeros(2)), {})
    waiting.add((torch.zeros(2), torch.zeros(2)), {"weights": torch.ones(2)})
    assert len(join(waiting.take())) == 2


def test_joined_updates_leave_the_states_of_single_ones() -> None:
    generator = torch.Generator().manual_seed(0)
    joined, single = TrainMetricWrapper(DecayAUC()), DecayAUC()
    joined.hand_over()
    for rows in (5, 0, 70_000, 3):
        scores = torch.rand(rows, generator=generator)
        labels = (torch.rand(rows, generator=generator) < scores).float()
        joined.update(scores, labels)
        single.update(scores, labels)
    assert torch.equal(joined.take_window()["histogram"], single.histogram)


def test_an_update_that_cannot_be_costs_only_its_own_rows() -> None:
    wrapper = TrainMetricWrapper(Accuracy())
    wrapper.hand_over()
    wrapper.update(torch.tensor([0.9]), torch.tensor([1.0]))
    with pytest.raises(UserError, match="an update has arguments of 3, 2 rows"):
        wrapper.update(torch.zeros(3), torch.zeros(2))
    wrapper.update(preds=torch.tensor([0.1]), target=torch.tensor([1.0]))
    window = wrapper.take_window()
    assert window["weight"].item() == 2 << WEIGHT_BITS
