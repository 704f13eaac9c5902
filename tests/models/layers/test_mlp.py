from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from raymon.config.activations import is_activation
from raymon.models import MLP
from raymon.protos import layers_pb2


def test_it_is_linear_maps_with_the_activation_between() -> None:
    mlp = MLP(3, layers_pb2.MLP(hidden_units=[4, 2], activation="nn.Tanh"))
    inputs = torch.randn(5, 3)
    expected = inputs.numpy()
    for layer in (m for m in mlp.modules() if isinstance(m, nn.Linear)):
        weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
        expected = np.tanh(expected @ weight.T + bias)
    np.testing.assert_allclose(mlp(inputs).detach().numpy(), expected, rtol=1e-5, atol=1e-6)
    assert mlp.out_features == 2


def test_layers_are_in_the_order_of_the_config() -> None:
    config = layers_pb2.MLP(hidden_units=[4, 2], dropout_ratio=[0.5, 0], use_bn=True, use_ln=True)
    kinds = [type(layer).__name__ for layer in MLP(3, config).layers]
    first = ["Linear", "BatchNorm", "LayerNorm", "ReLU", "Dropout"]
    assert kinds == [*first, "Linear", "BatchNorm", "LayerNorm", "ReLU"]


def test_one_dropout_ratio_is_for_all_layers() -> None:
    layers = MLP(3, layers_pb2.MLP(hidden_units=[4, 2], dropout_ratio=[0.5])).layers
    assert [layer.p for layer in layers if isinstance(layer, nn.Dropout)] == [0.5, 0.5]


ACTIVATIONS = [name for name in [*vars(nn), "Dice"] if is_activation(name, torch.float32)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("rows", [0, 1, 5])
def test_every_layer_has_gradients_in_every_precision(dtype: torch.dtype, rows: int) -> None:
    assert len(ACTIVATIONS) > 15
    norms = itertools.cycle([{}, {"use_bn": True}, {"use_ln": True}])
    for name, norm in zip(ACTIVATIONS, norms, strict=False):
        if not is_activation(name, dtype):
            continue
        text = {"hidden_units": [8, 4], "activation": name, "dropout_ratio": [0.2]}
        mlp = MLP(6, layers_pb2.MLP(**text, **norm))
        with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            out = mlp(torch.randn(rows, 6))
        assert out.shape == (rows, 4), name
        out.float().square().sum().backward()
        for parameter in mlp.parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.dtype == torch.float32, name
            assert parameter.grad.isfinite().all(), name


@pytest.mark.parametrize("rows", [0, 1])
def test_batch_norm_takes_a_last_batch_that_is_too_small_for_a_variance(rows: int) -> None:
    mlp = MLP(3, layers_pb2.MLP(hidden_units=[4], use_bn=True))
    before = {name: value.clone() for name, value in mlp.named_buffers()}
    out = mlp(torch.randn(rows, 3))
    out.sum().backward()
    assert out.isfinite().all()
    assert all(p.grad is not None for p in mlp.parameters() if p.requires_grad)
    assert all(torch.equal(value, before[name]) for name, value in mlp.named_buffers())
