"""The layers of Wukong: Zhang et al., Wukong: Towards a Scaling Law, 2024 (arXiv:2403.02545)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from raymon.models.layers.mlp import MLP
from raymon.protos import layers_pb2


class WuKongLayer(nn.Module):
    """A factorization machine block beside a linear compress block, with a residual (section 3.3).

    The output is `LN(cat(FMB(X), LCB(X)) + X)`, where X is mapped linearly if the numbers of
    vectors differ. `FMB(X)` is a linear map of an MLP of the normalized interactions `X (X' Y)`,
    with Y the compressing weights (sections 3.4 and 3.6); `LCB(X)` are linear combinations of the
    vectors (section 3.5).

    Args:
        vectors: Number of input vectors, F.
        dim: Length of a vector, D.
        config: Config of the layer.

    Attributes:
        out_vectors: Number of output vectors.
    """

    def __init__(self, vectors: int, dim: int, config: layers_pb2.WuKongLayer) -> None:
        super().__init__()
        self.out_vectors = config.fmb_feature_num + config.lcb_feature_num
        interactions = vectors * config.compressed_feature_num
        self.compress = nn.Linear(vectors, config.compressed_feature_num, bias=False)
        self.interaction_norm = nn.LayerNorm(interactions)
        self.interaction_mlp = MLP(interactions, config.feature_num_mlp)
        self.interacted = nn.Linear(self.interaction_mlp.out_features, config.fmb_feature_num * dim)
        self.combined = nn.Linear(vectors, config.lcb_feature_num, bias=False)
        self.residual: nn.Linear | None = None
        if self.out_vectors != vectors:
            self.residual = nn.Linear(vectors, self.out_vectors, bias=False)
        self.norm = nn.LayerNorm(dim)

    def forward(self, vectors: Tensor) -> Tensor:
        """Returns the outputs `[B, out_vectors, D]` of vectors `[B, F, D]`."""
        by_number = vectors.transpose(1, 2)
        interactions = torch.bmm(vectors, self.compress(by_number))
        hidden = self.interaction_mlp(self.interaction_norm(interactions.flatten(1)))
        interacted = self.interacted(hidden).unflatten(1, (-1, vectors.shape[2]))
        combined = self.combined(by_number).transpose(1, 2)
        kept = vectors if self.residual is None else self.residual(by_number).transpose(1, 2)
        outputs: Tensor = self.norm(torch.cat([interacted, combined], dim=1) + kept)
        return outputs
