"""Target attention over windows of positions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from raymon.models.layers.mlp import MLP
from raymon.models.layers.sequences.encoder import Encoder
from raymon.models.layers.sequences.sequence_inputs import SequenceInputs
from raymon.protos import layers_pb2


class WindowedAttention(Encoder):
    """The means of the positions in windows of a row, each times its score, and the query.

    The score of position s and query q is a PReLU of a linear map of MLP([s, q * s, q]); it is no
    share of anything, so that a row whose positions all fit has a larger mean. The first window
    begins at the first position, each other one behind that before it; later positions do not
    count. A query that is shorter than a position is filled up with zeros.

    Args:
        query_dim: Length of a query, at most that of a position.
        sequence_dim: Length of a position.
        attn_mlp: Layers before the linear map.
        windows: Positions in each window, W of them.
    """

    def __init__(
        self,
        query_dim: int,
        sequence_dim: int,
        attn_mlp: layers_pb2.MLP,
        windows: Sequence[int],
    ) -> None:
        super().__init__(sequence_dim * (len(windows) + 1))
        self.query_dim = query_dim
        self.mlp = MLP(3 * sequence_dim, attn_mlp)
        self.linear = nn.Linear(self.mlp.out_features, 1)
        self.activation = nn.PReLU()
        ends = torch.tensor(list(accumulate(windows)))
        # Not saved: it is in the config.
        self.register_buffer("ends", ends, persistent=False)
        self.register_buffer("windows", torch.tensor(list(windows)), persistent=False)

    def forward(self, inputs: SequenceInputs) -> Tensor:
        """Returns the means and the query, `[B, (W + 1) sequence_dim]`."""
        sequence, ends, windows = inputs.sequence, self.ends, self.windows
        assert isinstance(ends, Tensor)
        assert isinstance(windows, Tensor)
        count, dim = len(windows), sequence.shape[1]
        queries = inputs.queries(dim)
        pairs = torch.cat([sequence, queries * sequence, queries], dim=1)
        scores = self.activation(self.linear(self.mlp(pairs))).float()
        window = torch.bucketize(inputs.places, ends, right=True)
        scored = scores * sequence * (window < count).unsqueeze(1)
        places = inputs.rows * count + window.clamp_max(count - 1)
        zeros = scored.new_zeros(inputs.size * count, dim)
        sums = zeros.index_add(0, places, scored).view(inputs.size, count, dim)
        there = torch.minimum(inputs.lengths.unsqueeze(1) - (ends - windows), windows)
        means = sums / there.clamp_min(1).unsqueeze(2)
        query = F.pad(inputs.query, (0, dim - inputs.query.shape[1]))
        return torch.cat([means, query.unsqueeze(1)], dim=1).flatten(1)
