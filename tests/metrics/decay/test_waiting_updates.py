import pytest
import torch

from raymon.errors import UserError
from raymon.metrics import Accuracy, DecayAUC, TrainMetricWrapper
from raymon.metrics.decay.waiting_updates import WaitingUpdates, copies_if_unchanged, join
from raymon.metrics.numerics.exact_sum import exact_total


def test_updates_of_equal_form_are_joined_row_by_row() -> None:
    waiting = WaitingUpdates()
    for _ in range(2):
        waiting.add((torch.tensor([0.1, 0.2]), torch.tensor([0.0, 1.0])), {"w": torch.ones(2)})
    waiting.add((torch.tensor([0.3]), torch.tensor([1.0])), {"w": torch.zeros(1)})
    waiting.add((torch.tensor([0.4]), torch.tensor([0.0])), {"w": torch.zeros(1)})
    assert waiting.rows == 6
    copied, *kept = waiting.take()
    (joined,) = join(kept)
    assert torch.equal(copied.args[0], torch.tensor([0.1, 0.2, 0.1, 0.2]))
    assert torch.equal(copied.args[1], torch.tensor([0.0, 1.0, 0.0, 1.0]))
    assert torch.equal(joined.args[0], torch.tensor([0.3, 0.4]))
    assert torch.equal(joined.kwargs["w"], torch.zeros(2))
    assert join(waiting.take()) == []


def test_updates_that_differ_in_form_stay_apart() -> None:
    waiting = WaitingUpdates(joins=False)
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
    assert exact_total(window["weight"]) == 2


@pytest.mark.parametrize("joins", [True, False])
def test_updates_that_may_be_joined_are_copied_and_others_are_kept(joins: bool) -> None:
    waiting = WaitingUpdates(joins)
    scores, labels = torch.tensor([0.1, 0.2]), torch.tensor([0.0, 1.0])
    waiting.add((scores, labels), {})
    scores.zero_()
    (update,) = waiting.take()
    assert update.is_unchanged == joins
    assert update.args[0].tolist() == pytest.approx([0.1, 0.2] if joins else [0.0, 0.0])


def test_memory_that_was_released_is_used_again_and_no_other() -> None:
    waiting = WaitingUpdates()
    waiting.add((torch.tensor([0.1]),), {})
    (first,) = waiting.take()
    waiting.add((torch.tensor([0.2]),), {})
    (second,) = waiting.take()
    assert first.args[0].tolist() == pytest.approx([0.1])
    waiting.release(first)
    waiting.add((torch.tensor([0.3]),), {})
    (third,) = waiting.take()
    assert third.buffer is first.buffer
    assert third.args[0].tolist() == pytest.approx([0.3])
    assert second.args[0].tolist() == pytest.approx([0.2])
    waiting.release(second)
    waiting.add((torch.tensor([0.4, 0.5]),), {})
    (fourth,) = waiting.take()
    assert fourth.args[0].tolist() == pytest.approx([0.4, 0.5])


def test_batches_of_any_sizes_and_kinds_arrive_row_for_row() -> None:
    generator = torch.Generator().manual_seed(1)
    waiting, sent, taken = WaitingUpdates(), [], []
    for i in range(400):
        # Mostly of one size; now and then another, of another type, or too wide to copy.
        rows = 3_000 if i % 5 else int(torch.randint(0, 3_000, (), generator=generator))
        batch = torch.rand(rows, generator=generator)
        if i % 17 == 0:
            batch = batch.double()
        sent.append(batch)
        waiting.add((batch, torch.arange(rows)), {"w": batch + 1})
        if i % 53 == 0:
            taken += waiting.take()
    taken += waiting.take()
    assert sum(len(update.args[0]) for update in taken) == sum(len(batch) for batch in sent)
    assert any(len(update.args[0]) > 3_000 for update in taken)
    rows = sorted(x for update in taken for x in update.args[0].tolist())
    assert rows == sorted(x for batch in sent for x in batch.tolist())
    for update in taken:
        assert update.is_unchanged
        assert torch.equal(update.kwargs["w"], update.args[0] + 1)


@pytest.mark.parametrize("shape", [(5, 3), (5, 100), (70_000,), (0,)])
def test_batches_of_any_shape_are_taken(shape: tuple[int, ...]) -> None:
    waiting, batch = WaitingUpdates(), torch.rand(shape)
    waiting.add((batch,), {})
    waiting.add((batch,), {})
    assert torch.equal(torch.cat([u.args[0] for u in waiting.take()]), torch.cat([batch, batch]))


def test_copies_are_on_the_cpu_whatever_the_default_device_is() -> None:
    waiting, batch = WaitingUpdates(), torch.tensor([0.1, 0.2], device="cpu")
    with torch.device("meta"):
        waiting.add((batch,), {})
    (update,) = waiting.take()
    assert update.buffer is not None
    assert torch.equal(update.args[0], batch)


def test_an_update_whose_tensors_are_written_to_later_is_left_out_and_reported() -> None:
    wrapper = TrainMetricWrapper(Accuracy())
    wrapper.hand_over()
    wrapper.update(torch.tensor([0.9, 0.8]), torch.tensor([1.0, 1.0]))
    # Of another size than the first, so that it is kept.
    buffer = torch.tensor([0.9])
    for _ in range(3):
        buffer.copy_(torch.tensor([0.1]))
        wrapper.update(buffer, torch.tensor([1.0]))
    with pytest.raises(UserError, match="Accuracy: tensors were written to after they were given"):
        wrapper.take_window()
    assert exact_total(wrapper.take_window()["weight"]) == 3


def test_tensors_of_the_inference_mode_are_taken() -> None:
    waiting = WaitingUpdates(joins=False)
    with torch.inference_mode():
        scores = torch.tensor([0.1]) * 2
    waiting.add((scores,), {"w": torch.ones(1)})
    (update,) = waiting.take()
    assert update.is_unchanged
    # Copied: they do not tell what is written to them.
    with torch.inference_mode():
        scores.zero_()
    assert update.args[0].item() == pytest.approx(0.2)


class WritingOnCopy(torch.Tensor):
    """A tensor that another thread writes to just when it is copied."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        result = super().__torch_function__(func, types, args, kwargs or {})
        if func in (torch.Tensor.clone, torch.cat):
            given = args[0] if func is torch.cat else [args[0]]
            for tensor in given:
                if isinstance(tensor, cls) and tensor._version == 0:
                    tensor.as_subclass(torch.Tensor).zero_()
        return result


@pytest.mark.parametrize("joined", [True, False])
def test_what_is_written_to_while_it_is_copied_is_left_out(joined: bool) -> None:
    waiting = WaitingUpdates(joins=False)
    for scores in (torch.ones(3), torch.ones(3).as_subclass(WritingOnCopy), torch.ones(3)):
        waiting.add((scores,), {})
    copies, left_out = copies_if_unchanged(waiting.take(), joined=joined)
    assert left_out == 1
    assert torch.cat([copy.args[0] for copy in copies]).tolist() == [1.0] * 6


def test_what_is_no_tensor_goes_along() -> None:
    waiting = WaitingUpdates()
    waiting.add((torch.zeros(3), None), {"k": 5})
    waiting.add((torch.zeros(2), None), {"k": 5})
    assert waiting.rows == 5
    assert [len(update.args[0]) for update in join(waiting.take())] == [3, 2]


@pytest.mark.parametrize("joins", [True, False])
def test_nothing_of_a_graph_is_kept(joins: bool) -> None:
    waiting = WaitingUpdates(joins)
    scores = torch.rand(3, requires_grad=True).sigmoid()
    waiting.add((scores,), {"w": scores})
    (update,) = waiting.take()
    assert not update.args[0].requires_grad
    assert not update.kwargs["w"].requires_grad
    assert update.is_unchanged


def test_a_batch_of_another_type_keeps_its_values() -> None:
    waiting, fine = WaitingUpdates(), torch.tensor([0.1], dtype=torch.float64)
    waiting.add((torch.tensor([0.5]),), {})
    waiting.add((fine,), {})
    first, second = waiting.take()
    assert first.args[0].dtype == torch.float32
    assert torch.equal(second.args[0], fine)
