"""Parameters that are cast together are those that autocast casts one by one."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from raymon.models.layers.joint_cast import cast_together
from raymon.models.layers.mlp import MLP
from raymon.protos import layers_pb2

HALVES = [torch.bfloat16, torch.float16]


def test_tensors_stay_as_they_are_outside_of_autocast_and_if_they_are_not_float32() -> None:
    tensors = (torch.rand(3), torch.rand(2, 2))
    assert all(a is b for a, b in zip(cast_together(tensors), tensors, strict=True))
    exact = (torch.rand(3, dtype=torch.float64), torch.rand(2))
    with torch.autocast("cpu", torch.bfloat16):
        assert all(a is b for a, b in zip(cast_together(exact), exact, strict=True))


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("use_bn", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_an_mlp_has_the_outputs_and_gradients_of_its_layers_one_by_one(
    half: torch.dtype, use_bn: bool, bias: bool
) -> None:
    torch.manual_seed(0)
    config = layers_pb2.MLP(hidden_units=[5, 3, 7], use_bn=use_bn, bias=bias, use_ln=True)
    mlp, inputs = MLP(9, config), torch.randn(6, 9)
    runs = []
    for module in (mlp, nn.Sequential(*mlp.layers)):
        mlp.zero_grad()
        with torch.autocast("cpu", half):
            outputs = module(inputs)
        outputs.float().square().sum().backward()
        gradients = [p.grad.clone() for p in mlp.parameters() if p.grad is not None]
        assert {gradient.dtype for gradient in gradients} == {torch.float32}
        runs.append((outputs, gradients))
    assert torch.equal(runs[0][0], runs[1][0])
    assert len(runs[0][1]) == len(list(mlp.parameters()))
    for one, other in zip(runs[0][1], runs[1][1], strict=True):
        assert torch.equal(one, other)
