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
    ((args, kwargs, _),) = join(waiting.take().updates())
    assert torch.equal(args[0], torch.tensor([0.1, 0.2, 0.3]))
    assert torch.equal(args[1], torch.tensor([0.0, 1.0, 1.0]))
    assert torch.equal(kwargs["w"], torch.tensor([1.0, 1.0, 0.0]))
    assert join(waiting.take().updates()) == []


def test_updates_that_differ_in_form_stay_apart() -> None:
    waiting = WaitingUpdates()
    waiting.add((torch.zeros(2, 3), torch.zeros(2)), {})
    waiting.add((torch.zeros(2, 4), torch.zeros(2)), {})
    assert len(join(waiting.take().updates())) == 2
    waiting.add((torch.zeros(2), torch.zeros(2)), {})
    waiting.add((torch.zeros(2), torch.zeros(2)), {"weights": torch.ones(2)})
    assert len(join(waiting.take().updates())) == 2


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


@pytest.mark.parametrize("joins", [True, False])
def test_updates_that_may_be_joined_are_copied_and_others_are_kept(joins: bool) -> None:
    waiting = WaitingUpdates(joins)
    scores, labels = torch.tensor([0.1, 0.2]), torch.tensor([0.0, 1.0])
    waiting.add((scores, labels), {})
    scores.zero_()
    ((args, _, chunk),) = waiting.take().updates()
    expected = [0.1, 0.2] if joins else [0.0, 0.0]
    assert args[0].tolist() == pytest.approx(expected)
    assert (chunk is not None) == joins


def test_memory_that_was_released_is_used_again_and_no_other() -> None:
    waiting = WaitingUpdates()
    waiting.add((torch.tensor([0.1]),), {})
    (first,) = waiting.take().updates()
    waiting.add((torch.tensor([0.2]),), {})
    (second,) = waiting.take().updates()
    assert first.args[0].tolist() == pytest.approx([0.1])
    waiting.release(first)
    waiting.add((torch.tensor([0.3, 0.4]),), {})
    (third,) = waiting.take().updates()
    assert third.chunk is first.chunk
    assert third.args[0].tolist() == pytest.approx([0.3, 0.4])
    assert second.args[0].tolist() == pytest.approx([0.2])


def test_batches_of_any_sizes_and_kinds_arrive_row_for_row() -> None:
    generator = torch.Generator().manual_seed(1)
    waiting, sent = WaitingUpdates(), []
    for i in range(200):
        rows = int(torch.randint(0, 3_000, (), generator=generator))
        batch = torch.rand(rows, generator=generator)
        # Now and then of another type, or as a matrix too wide to copy.
        if i % 17 == 0:
            batch = batch.double()
        sent.append(batch)
        waiting.add((batch, torch.arange(rows)), {"w": batch + 1})
    taken = waiting.take().updates()
    assert sum(len(update.args[0]) for update in taken) == sum(len(batch) for batch in sent)
    rows = sorted(x for update in taken for x in update.args[0].tolist())
    assert rows == sorted(x for batch in sent for x in batch.tolist())
    for update in taken:
        assert torch.equal(update.kwargs["w"], update.args[0] + 1)


def test_copies_are_on_the_cpu_whatever_the_default_device_is() -> None:
    waiting, batch = WaitingUpdates(), torch.tensor([0.1, 0.2], device="cpu")
    with torch.device("meta"):
        waiting.add((batch,), {})
    (update,) = waiting.take().updates()
    assert update.chunk is not None
    assert torch.equal(update.args[0], batch)
