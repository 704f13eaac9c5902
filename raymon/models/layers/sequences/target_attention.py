"""Target attention: Zhou et al., Deep Interest Network for Click-Through Rate Prediction, 2018."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from raymon.models.layers.mlp import MLP
from raymon.models.layers.sequences.encoder import Encoder
from raymon.models.layers.sequences.sequence_inputs import SequenceInputs
from raymon.protos import layers_pb2


class TargetAttention(Encoder):
    """The mean of the positions of a row, weighted by how they fit to its query.

    The score of position s and query q is a linear map of MLP([q, s, q - s, q * s]) (section 4.3
    of the paper, with the difference beside the product); the weights are a softmax over the
    positions of a row. A query that is shorter than a position is filled up with zeros. A row
    without positions gives zeros.

    Args:
        query_dim: Length of a query, at most that of a position.
        sequence_dim: Length of a position.
        attn_mlp: Layers before the linear map.
        max_seq_length: How many of the first positions of a row count; 0 for all.
    """

    def __init__(
        self,
        query_dim: int,
        sequence_dim: int,
        attn_mlp: layers_pb2.MLP,
        max_seq_length: int = 0,
    ) -> None:
        super().__init__(sequence_dim)
        self.query_dim = query_dim
        self.max_seq_length = max_seq_length
        self.mlp = MLP(4 * sequence_dim, attn_mlp)
        self.linear = nn.Linear(self.mlp.out_features, 1)

    def forward(self, inputs: SequenceInputs) -> Tensor:
        """Returns the weighted means, `[B, sequence_dim]`."""
        sequence = inputs.sequence
        queries = inputs.queries(sequence.shape[1])
        pairs = torch.cat([queries, sequence, queries - sequence, queries * sequence], dim=1)
        scores = self.linear(self.mlp(pairs)).squeeze(1)
        weights = inputs.softmax(scores, self.max_seq_length)
        return inputs.sums(weights.unsqueeze(1) * sequence)
