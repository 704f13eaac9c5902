import numpy as np
import pytest
import torch

from raymon.recorder.step_scalars import StepScalars

KINDS = {
    "tensors": lambda value: torch.tensor(value),
    "with gradients": lambda value: torch.tensor(value, requires_grad=True) * 1,
    "floats": float,
    "of one element": lambda value: torch.tensor([value])[0],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, 256, 600])
def test_scalars_come_out_in_the_order_of_the_steps(kind: str, count: int) -> None:
    scalars = StepScalars()
    for i in range(count):
        scalars.add(KINDS[kind](i / 4))
    values = scalars.take(None).wait()
    assert values.dtype == np.float64
    assert values.tolist() == [i / 4 for i in range(count)]


def test_scalars_of_several_kinds_keep_their_order() -> None:
    scalars = StepScalars()
    for scalar in (torch.tensor(0.5), 1.0, torch.tensor(1.5)):
        scalars.add(scalar)
    assert scalars.take(None).wait().tolist() == [0.5, 1.0, 1.5]


def test_what_is_written_to_a_loss_afterwards_is_not_seen() -> None:
    scalars, loss = StepScalars(), torch.tensor(0.5)
    scalars.add(loss)
    loss.fill_(7.0)
    assert scalars.take(None).wait().tolist() == [0.5]


def test_after_it_was_taken_it_is_empty() -> None:
    scalars = StepScalars()
    scalars.add(torch.tensor(0.5))
    first = scalars.take(None)
    scalars.add(torch.tensor(0.25))
    assert first.wait().tolist() == [0.5]
    assert scalars.take(None).wait().tolist() == [0.25]


@pytest.mark.parametrize("scalar", [0.5, torch.tensor(0.5, device="cpu")])
def test_another_default_device_changes_nothing(scalar: float | torch.Tensor) -> None:
    scalars = StepScalars()
    with torch.device("meta"):
        scalars.add(scalar)
        values = scalars.take(None).wait()
    assert values.tolist() == [0.5]
