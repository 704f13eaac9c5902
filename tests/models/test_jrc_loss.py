from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from raymon.models.focal_loss import binary_focal_loss
from raymon.models.jrc_loss import jrc_loss


def by_masks(logits: Tensor, label: Tensor, sessions: Tensor, alpha: float) -> Tensor:
    """The loss written out row by row: each against the other class of its session."""
    losses = []
    for i, own in enumerate(label.long().tolist()):
        others = [j for j in range(len(label)) if sessions[j] == sessions[i] and label[j] != own]
        among = torch.stack([logits[i, own], *(logits[j, own] for j in others)])
        calibration = -logits[i].log_softmax(0)[own]
        losses.append(alpha * calibration - (1 - alpha) * among.log_softmax(0)[0])
    return torch.stack(losses)


def test_the_published_value_of_the_loss_is_met() -> None:
    # What the tests of TorchEasyRec expect of these rows.
    logits = torch.tensor(
        [[0.9, 0.1], [0.5, 0.5], [0.3, 0.7], [0.2, 0.8], [0.8, 0.2], [0.55, 0.45], [0.33, 0.67],
         [0.55, 0.45]]
    )  # fmt: skip
    label = torch.tensor([0.0, 0, 1, 1, 0, 0, 1, 1])
    sessions = torch.tensor([1, 1, 1, 1, 2, 2, 2, 2])
    assert jrc_loss(logits, label, sessions, 0.5).mean() == pytest.approx(0.7199, abs=5e-5)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**20), st.integers(1, 12), st.integers(1, 4), st.floats(0, 1))
def test_rows_compete_with_the_other_class_of_their_session_alone(
    seed: int, rows: int, sessions: int, alpha: float
) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = (torch.randn(rows, 2, generator=generator) * 40).double().requires_grad_()
    label = torch.randint(0, 2, (rows,), generator=generator).double()
    keys = torch.randint(-(2**62), 2**62, (sessions,), generator=generator)
    of = keys[torch.randint(0, sessions, (rows,), generator=generator)]
    found, expected = jrc_loss(logits, label, of, alpha), by_masks(logits, label, of, alpha)
    torch.testing.assert_close(found, expected)
    gradients = [torch.autograd.grad(x.sum(), logits)[0] for x in (found, expected)]
    torch.testing.assert_close(*gradients)


def test_no_rows_have_no_loss() -> None:
    empty = torch.empty(0, dtype=torch.int64)
    assert jrc_loss(torch.empty(0, 2), torch.empty(0), empty, 0.5).shape == (0,)


def test_the_published_value_of_the_focal_loss_is_met() -> None:
    logits = torch.tensor([0.9, 0.5, 0.3, 0.2, 0.8, 0.5, 0.3, 0.5])
    label = torch.tensor([1.0, 1, 1, 0, 1, 0, 1, 0])
    assert binary_focal_loss(logits, label, 2, 0.5).mean() == pytest.approx(0.083, abs=5e-5)


def test_the_factor_of_the_focal_loss_is_a_weight_of_the_row() -> None:
    logits = torch.tensor([2.0, -1.0, 0.3], requires_grad=True)
    label = torch.tensor([1.0, 1.0, 0.0])
    right = torch.where(label > 0, logits.sigmoid(), 1 - logits.sigmoid()).detach()
    weight = torch.tensor([0.3, 0.3, 0.7]) * (1 - right) ** 1.5
    loss = binary_focal_loss(logits, label, 1.5, 0.3)
    torch.testing.assert_close(loss, -weight * right.log())
    (gradient,) = torch.autograd.grad(loss.sum(), logits)
    torch.testing.assert_close(gradient, weight * (logits.sigmoid() - label))
