"""Embeddings of numbers: by meta embeddings (AutoDis), or by a linear map."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from raymon.data import Batch, DenseEmbedding, Feature
from raymon.models.layers.autocast import without_autocast


class AutoDis(nn.Module):
    """Embeddings of K numbers, each a mix of C meta embeddings of its own.

    `h = LeakyReLU(w x)`, the weights of the mix are the softmax of `(W h + a h) / t`, with a factor
    a of the skip connection and a temperature t (Guo et al. 2021, An Embedding Learning Framework
    for Numerical Features in CTR Prediction, section 3).

    Args:
        count: Number of numbers, K.
        spec: Length of an embedding, D, and what the mix is made by.
    """

    def __init__(self, count: int, spec: DenseEmbedding) -> None:
        super().__init__()
        channels = spec.num_channels
        self.meta_embeddings = nn.Parameter(torch.randn(count, channels, spec.dim))
        # Glorot's deviations.
        first, second = math.sqrt(2 / (1 + channels)), math.sqrt(1 / channels)
        self.first = nn.Parameter(torch.randn(count, channels) * first)
        self.second = nn.Parameter(torch.randn(count, channels, channels) * second)
        self._temperature, self._skip = spec.temperature, spec.keep_prob

    def forward(self, numbers: Tensor) -> Tensor:
        """Returns the embeddings `[B, K, D]` of numbers `[B, K]`."""
        hidden = F.leaky_relu(numbers.unsqueeze(2) * self.first)
        scores = torch.einsum("kij,bkj->bki", self.second, hidden) + self._skip * hidden
        weights = (scores / self._temperature).softmax(2)
        return torch.einsum("bkc,kcd->bkd", weights, self.meta_embeddings)


class LinearEmbedding(nn.Module):
    """Embeddings of K features of V numbers each, by a linear map without bias for each.

    Args:
        count: Number of features, K.
        numbers: Numbers of each, V.
        dim: Length of an embedding, D.
    """

    def __init__(self, count: int, numbers: int, dim: int) -> None:
        super().__init__()
        deviation = math.sqrt(2 / (numbers + dim))
        self.weight = nn.Parameter(torch.randn(count, numbers, dim) * deviation)

    def forward(self, numbers: Tensor) -> Tensor:
        """Returns the embeddings `[B, K, D]` of numbers `[B, K, V]`."""
        return torch.einsum("bkv,kvd->bkd", numbers, self.weight)


class DenseEmbeddings(nn.Module):
    """The embeddings of the features whose numbers become one; those of one kind are one layer.

    They are computed in float32 even under autocast, as numbers may be large.

    Args:
        features: Features; those without such an embedding are left out, and one that is there
            twice is taken once.
        dim: Length of the embeddings; None for that of each feature.
    """

    def __init__(self, features: Sequence[Feature], dim: int | None = None) -> None:
        super().__init__()
        self._names: list[list[str]] = []
        groups: dict[tuple[DenseEmbedding, int], list[str]] = {}
        for feature in {f.name: f for f in features}.values():
            if feature.dense_embedding is not None:
                key = feature.dense_embedding, feature.value_dim
                groups.setdefault(key, []).append(feature.name)
        self.layers = nn.ModuleList()
        for (spec, numbers), names in groups.items():
            self._names.append(names)
            length = dim or spec.dim
            if spec.kind == "autodis":
                of_length = DenseEmbedding(
                    "autodis", length, spec.num_channels, spec.temperature, spec.keep_prob
                )
                self.layers.append(AutoDis(len(names), of_length))
            else:
                self.layers.append(LinearEmbedding(len(names), numbers, length))

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Returns the embeddings, float32 `[B, D]`, by feature."""
        found: dict[str, Tensor] = {}
        for names, layer in zip(self._names, self.layers, strict=True):
            numbers = torch.stack([batch.dense[name] for name in names], dim=1).float()
            if isinstance(layer, AutoDis):
                numbers = numbers.squeeze(2)
            with without_autocast(numbers.device):
                embeddings = layer(numbers)
            found.update(zip(names, embeddings.unbind(1), strict=True))
        return found
