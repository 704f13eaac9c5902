"""Cross layers are those of the equations of DCN and DCN V2, worked out number by number."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from raymon.models.layers.cross import CrossNet, LowRankCrossNet


def drawn(module: nn.Module) -> dict[str, Tensor]:
    for parameter in module.parameters():
        nn.init.normal_(parameter)
    return dict(module.named_parameters())


def test_a_layer_of_vectors_adds_the_inputs_by_one_weight() -> None:
    module = CrossNet(4, 3).double()
    weights, inputs = drawn(module), torch.randn(5, 4, dtype=torch.float64)
    expected = inputs
    for layer in range(3):
        weight, bias = weights[f"weights.{layer}.weight"][0], weights[f"biases.{layer}"]
        rows = zip(inputs, expected, strict=True)
        expected = torch.stack(
            [
                x0 * sum(w * x for w, x in zip(weight, xl, strict=True)) + bias + xl
                for x0, xl in rows
            ]
        )
    torch.testing.assert_close(module(inputs), expected)


def test_a_layer_of_matrices_multiplies_by_one_of_low_rank() -> None:
    module = LowRankCrossNet(4, 2, 3).double()
    weights, inputs = drawn(module), torch.randn(5, 4, dtype=torch.float64)
    expected = inputs
    for layer in range(2):
        matrix = weights[f"layers.{layer}.1.weight"] @ weights[f"layers.{layer}.0.weight"]
        assert matrix.shape == (4, 4)
        assert torch.linalg.matrix_rank(matrix) == 3
        expected = torch.stack(
            [
                x0 * (matrix @ xl + weights[f"layers.{layer}.1.bias"]) + xl
                for x0, xl in zip(inputs, expected, strict=True)
            ]
        )
    torch.testing.assert_close(module(inputs), expected)
