"""The compressed interaction network: Lian et al., xDeepFM, 2018 (arXiv:1803.05170)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class CIN(nn.Module):
    """Layers of vectors, each a weighted sum of elementwise products with the input vectors.

    Vector h of layer k is `sum_ij W_k[h, i, j] (x_{k-1}[i] * x_0[j]) + b_k[h]` (equation 6, with a
    bias); the output is the sum over the numbers of each vector of each layer (equation 8).

    Args:
        vectors: Number of input vectors, F.
        sizes: Number of vectors of each layer.

    Attributes:
        out_features: Length of an output.
    """

    def __init__(self, vectors: int, sizes: Sequence[int]) -> None:
        super().__init__()
        before = [vectors, *sizes]
        self.layers = nn.ModuleList(
            nn.Linear(count * vectors, size) for count, size in zip(before, sizes, strict=False)
        )
        self.out_features = sum(sizes)

    def forward(self, vectors: Tensor) -> Tensor:
        """Returns the outputs `[B, out_features]` of vectors `[B, F, D]`."""
        # Vectors come last, so that a layer is one linear map for each of the D numbers.
        first = hidden = vectors.transpose(1, 2)
        sums = []
        for layer in self.layers:
            hidden = layer((hidden.unsqueeze(3) * first.unsqueeze(2)).flatten(2))
            sums.append(hidden.sum(1))
        return torch.cat(sums, dim=1)
