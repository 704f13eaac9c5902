"""A layer of Wukong is that of its paper: FMB beside LCB, a residual, and a normalization."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from raymon.models.layers.wukong import WuKongLayer
from raymon.protos import layers_pb2


@pytest.mark.parametrize("vectors", [5, 3])
def test_a_layer_is_that_of_the_paper(vectors: int) -> None:
    torch.manual_seed(0)
    config = layers_pb2.WuKongLayer(
        lcb_feature_num=3,
        fmb_feature_num=2,
        compressed_feature_num=4,
        feature_num_mlp=layers_pb2.MLP(hidden_units=[7]),
    )
    layer = WuKongLayer(vectors, 6, config).double()
    w = dict(layer.named_parameters())
    assert ("residual.weight" in w) == (vectors != 5)
    found, expected = [], []
    for x in torch.randn(4, vectors, 6, dtype=torch.float64):
        found.append(layer(x[None])[0])
        interactions = (x @ x.T @ w["compress.weight"].T).flatten()
        normed = F.layer_norm(
            interactions,
            interactions.shape,
            w["interaction_norm.weight"],
            w["interaction_norm.bias"],
        )
        hidden = w["interaction_mlp.layers.0.weight"] @ normed + w["interaction_mlp.layers.0.bias"]
        fmb = w["interacted.weight"] @ hidden.clamp(min=0) + w["interacted.bias"]
        lcb = w["combined.weight"] @ x
        kept = x if vectors == 5 else w["residual.weight"] @ x
        out = torch.cat([fmb.reshape(2, 6), lcb]) + kept
        mean, var = out.mean(1, keepdim=True), out.var(1, unbiased=False, keepdim=True)
        expected.append((out - mean) / (var + 1e-5).sqrt() * w["norm.weight"] + w["norm.bias"])
    torch.testing.assert_close(torch.stack(found), torch.stack(expected))
    assert layer.out_vectors == 5
