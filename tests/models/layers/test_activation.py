"""Activations are those that a config names, and Dice is that of its paper."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from raymon.config.activations import is_activation
from raymon.models import MLP
from raymon.models.layers.activation import Dice, make_activation
from raymon.protos import layers_pb2


def test_dice_shifts_between_two_slopes_where_the_batch_has_its_mean() -> None:
    torch.manual_seed(0)
    dice = Dice(3).double()
    alpha = torch.tensor([0.25, -1.0, 2.0], dtype=torch.float64)
    dice.alpha.data.copy_(alpha)
    inputs = torch.randn(50, 3, dtype=torch.float64) * 3 + 1
    found = dice(inputs)
    mean, variance = inputs.mean(0), inputs.var(0, unbiased=False)
    p = 1 / (1 + torch.exp(-(inputs - mean) / (variance + 1e-5).sqrt()))
    torch.testing.assert_close(found, p * inputs + (1 - p) * alpha * inputs)
    # Momentum 0.1: one tenth of the way from 0 to the mean, and from 1 to the unbiased variance.
    torch.testing.assert_close(dice.norm.running_mean, 0.1 * mean)
    torch.testing.assert_close(dice.norm.running_var, 0.9 + 0.1 * inputs.var(0))
    dice.eval()
    assert dice.norm.running_mean is not None
    assert dice.norm.running_var is not None
    p = torch.sigmoid((inputs - dice.norm.running_mean) / (dice.norm.running_var + 1e-5).sqrt())
    torch.testing.assert_close(dice(inputs), p * inputs + (1 - p) * alpha * inputs)


def test_dice_begins_without_a_slope_below_its_mean() -> None:
    dice = Dice(1).eval()
    outputs = dice(torch.tensor([[-50.0], [50.0]]))
    torch.testing.assert_close(outputs, torch.tensor([[0.0], [50.0]]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nn.ReLU", "ReLU()"),
        ("torch.nn.GELU", "GELU(approximate='none')"),
        ("SiLU", "SiLU()"),
        ("nn.LeakyReLU(negative_slope=0.25)", "LeakyReLU(negative_slope=0.25)"),
        ("nn.Hardtanh(min_val=-2, max_val=3.5)", "Hardtanh(min_val=-2, max_val=3.5)"),
        ("nn.ELU()", "ELU(alpha=1.0)"),
    ],
)
def test_arguments_of_a_class_are_literals(text: str, expected: str) -> None:
    assert is_activation(text)
    assert str(make_activation(text, 3)) == expected


@pytest.mark.parametrize(
    "text",
    ["lambda x: x", "nn.LeakyReLU(0.1)", "nn.LeakyReLU(slope=1)", "nn.ReLU(inplace=open('x'))",
     "nn.Linear", "torch.relu", "os.system", "Dice(dim=2)", "nn.ReLU(",
     "nn.GELU(approximate=tanh)"],
)  # fmt: skip
def test_what_is_no_activation_is_none(text: str) -> None:
    assert not is_activation(text)


def test_no_activation_leaves_the_linear_maps() -> None:
    mlp = MLP(3, layers_pb2.MLP(hidden_units=[4, 2], activation=""))
    assert [type(layer) for layer in mlp.layers] == [nn.Linear, nn.Linear]
