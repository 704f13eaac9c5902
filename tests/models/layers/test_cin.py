"""A compressed interaction network is that of equations (6) to (8) of its paper."""

from __future__ import annotations

import torch

from raymon.models.layers.cin import CIN


def test_layers_are_weighted_sums_of_products_with_the_input_vectors() -> None:
    torch.manual_seed(0)
    module = CIN(3, [4, 2]).double()
    vectors = torch.randn(6, 3, 5, dtype=torch.float64)
    weights = dict(module.named_parameters())
    hidden, sums = vectors, []
    for layer, size in enumerate([4, 2]):
        weight = weights[f"layers.{layer}.weight"].unflatten(1, (hidden.shape[1], 3))
        products = torch.einsum("bid,bjd->bijd", hidden, vectors)
        hidden = torch.stack(
            [
                (weight[h, :, :, None] * products).sum((1, 2)) + weights[f"layers.{layer}.bias"][h]
                for h in range(size)
            ],
            dim=1,
        )
        sums.append(hidden.sum(2))
    torch.testing.assert_close(module(vectors), torch.cat(sums, dim=1))
    assert module.out_features == 6
