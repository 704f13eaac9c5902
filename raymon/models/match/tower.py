"""One side of a model of two towers: from the inputs of a row to a vector."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from raymon.models.layers.autocast import without_autocast
from raymon.models.layers.mlp import MLP
from raymon.protos import layers_pb2
from raymon.protos.match_model_pb2 import Similarity


class Tower(nn.Module):
    """An MLP and a linear map; with COSINE the outputs have length 1.

    The last linear map is computed in float32 even under autocast, as similarities of 8 bits would
    tie items that differ.

    Args:
        in_features: Length of an input.
        mlp: Config of the MLP.
        output_dim: Length of an output; 0 for that of the MLP, without the linear map.
        similarity: Similarity that outputs are made for.

    Attributes:
        out_features: Length of an output.
    """

    def __init__(
        self,
        in_features: int,
        mlp: layers_pb2.MLP,
        output_dim: int,
        similarity: Similarity,
    ) -> None:
        super().__init__()
        self.mlp = MLP(in_features, mlp)
        self.out_features = output_dim or self.mlp.out_features
        self.output = nn.Linear(self.mlp.out_features, output_dim) if output_dim else None
        self._normalizes = similarity == Similarity.COSINE

    def forward(self, inputs: Tensor) -> Tensor:
        """Returns the vectors, float32 `[B, out_features]`, of inputs `[B, in_features]`."""
        hidden = self.mlp(inputs)
        with without_autocast(hidden.device):
            vectors: Tensor = hidden.float()
            if self.output is not None:
                vectors = self.output(vectors)
            return F.normalize(vectors, dim=1) if self._normalizes else vectors
