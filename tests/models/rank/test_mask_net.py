"""MaskNet is what its paper says: masks by equation (1), blocks by (3) to (5)."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from raymon.models.layers.mask_net import MaskNetModule
from raymon.protos import layers_pb2
from tests.models.pipelines import batch_of, model_of, pipeline
from tests.models.rank_models import RANK_MODELS


def normalized(values: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    centred = values - values.mean(1, keepdim=True)
    return centred / (centred.square().mean(1, keepdim=True) + 1e-5).sqrt() * weight + bias


def linear(values: Tensor, weights: dict[str, Tensor], name: str) -> Tensor:
    return values @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def by_formula(weights: dict[str, Tensor], features: Tensor, *, parallel: bool) -> Tensor:
    first = normalized(features, weights["norm.weight"], weights["norm.bias"])
    inputs, outputs = first, []
    for index in range(3):
        block = f"blocks.{index}"
        mask = linear(features, weights, f"{block}.mask.0").clamp(min=0)
        mask = linear(mask, weights, f"{block}.mask.2")
        hidden = linear(mask * inputs, weights, f"{block}.hidden.0")
        norm = weights[f"{block}.hidden.1.weight"], weights[f"{block}.hidden.1.bias"]
        hidden = normalized(hidden, *norm).clamp(min=0)
        outputs.append(hidden)
        inputs = first if parallel else hidden
    return torch.cat(outputs, dim=1) if parallel else outputs[-1]


@pytest.mark.parametrize("parallel", [True, False])
def test_blocks_are_those_of_the_paper(parallel: bool) -> None:
    torch.manual_seed(0)
    block = layers_pb2.MaskBlock(reduction_ratio=1.5, hidden_dim=6)
    config = layers_pb2.MaskNetModule(n_mask_blocks=3, mask_block=block, use_parallel=parallel)
    module = MaskNetModule(5, config).double()
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter)
    features = torch.randn(7, 5, dtype=torch.float64)
    expected = by_formula(dict(module.named_parameters()), features, parallel=parallel)
    torch.testing.assert_close(module(features), expected)
    assert module.out_features == expected.shape[1] == (18 if parallel else 6)


@pytest.mark.parametrize(
    ("given", "aggregation"),
    [
        ({}, 10),
        ({"aggregation_dim": 7}, 7),
        ({"reduction_ratio": 0.55}, 5),
        ({"reduction_ratio": 0.01}, 1),
        ({"reduction_ratio": 2, "aggregation_dim": 7}, 20),
    ],
)
def test_the_mask_has_a_hidden_layer_by_ratio_or_by_size(
    given: dict[str, float], aggregation: int
) -> None:
    block = layers_pb2.MaskBlock(hidden_dim=4, **given)
    module = MaskNetModule(10, layers_pb2.MaskNetModule(n_mask_blocks=1, mask_block=block))
    assert module.get_parameter("blocks.0.mask.0.weight").shape == (aggregation, 10)


def test_the_logit_is_a_linear_map_without_a_bias() -> None:
    model, batch = model_of(pipeline(RANK_MODELS["mask_net"])), batch_of(5)
    assert "head.outputs.0.bias" not in model.state_dict()
    hidden = model.get_submodule("mask_net")(model.get_submodule("inputs")(batch)["all"])
    weight = model.get_parameter("head.outputs.0.weight")
    torch.testing.assert_close(model(batch)["logits"], (hidden @ weight.T).squeeze(1))
