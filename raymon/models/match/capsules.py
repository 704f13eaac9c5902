"""Interests of a user, routed from the items of the history: Li et al., MIND, CIKM 2019."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from raymon.models.layers.autocast import without_autocast
from raymon.protos.match_model_pb2 import B2ICapsule

_EPSILON = 1e-7


class Capsules(nn.Module):
    """Dynamic routing from behaviours to interests (section 3.3, algorithm 1).

    All behaviours have one bilinear map, and the logits of the routing begin at random: without
    that all interests would be the same. In training they are drawn anew in each step; else they
    are those that were drawn first, so that the same history has the same interests. Only the last
    iteration has a gradient. A user with n behaviours has max(1, min(K, log2 n)) interests, rounded
    up, unless `const_caps_num` is set.

    Args:
        in_features: Length of a behaviour.
        config: Config of the capsules.

    Attributes:
        out_features: Length of an interest.
    """

    def __init__(self, in_features: int, config: B2ICapsule) -> None:
        super().__init__()
        self.out_features = config.high_dim
        self.bilinear = nn.Parameter(torch.randn(in_features, config.high_dim))
        self.most_behaviours = config.max_seq_len
        self._most = config.max_k
        self._iterations = config.num_iters
        self._scale = config.routing_logits_scale
        self._deviation = config.routing_logits_stddev
        self._power = config.squash_pow
        self._constant = config.const_caps_num
        self._zeros = config.routing_init_method == "zeros"
        self.register_buffer("logits", torch.randn(config.max_seq_len, config.max_k))

    def forward(self, behaviours: Tensor, there: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Returns interests, float32 `[B, K, out_features]`, and which are there, bool `[B, K]`.

        Args:
            behaviours: The first behaviours of each row, `[B, L, in_features]`, with L at most
                `most_behaviours`.
            there: Which of them are there, bool `[B, L]`.
            lengths: Number of all behaviours of each row, `[B]`.
        """
        with without_autocast(behaviours.device):
            mapped = behaviours.float() @ self.bilinear
            fixed = mapped.detach()
            directions = F.normalize(fixed, dim=2)
            kept = self._kept(lengths)
            logits = self._first_logits(fixed)
            for iteration in range(self._iterations):
                logits = logits.masked_fill(~kept.unsqueeze(1), -torch.inf)
                weights = (logits * self._scale).softmax(2) * there.unsqueeze(2)
                if iteration + 1 == self._iterations:
                    interests = self._squashed(weights.transpose(1, 2) @ mapped)
                else:
                    interests = weights.transpose(1, 2) @ fixed
                    logits = weights + directions @ interests.transpose(1, 2)
            return interests * kept.unsqueeze(2), kept

    def _first_logits(self, mapped: Tensor) -> Tensor:
        rows, length = mapped.shape[:2]
        if self._zeros:
            return mapped.new_zeros(rows, length, self._most)
        if self.training:
            drawn = torch.randn(rows, length, self._most, device=mapped.device)
        else:
            drawn = self.get_buffer("logits")[:length].expand(rows, length, self._most)
        return drawn * self._deviation

    def _kept(self, lengths: Tensor) -> Tensor:
        """Returns which interests a user with so many behaviours has, bool `[B, K]`."""
        places = torch.arange(self._most, device=lengths.device)
        if self._constant:
            return (places >= 0).expand(lengths.shape[0], self._most)
        # log2 of 0 is -inf, of which one interest is left.
        counts = lengths.float().log2().clamp(1, self._most)
        return places < counts.unsqueeze(1)

    def _squashed(self, vectors: Tensor) -> Tensor:
        """Returns v (|v|^2 / (1 + |v|^2))^p / |v|, which is the squash of equation 4 for p = 1."""
        length = torch.linalg.vector_norm(vectors, dim=2, keepdim=True).clamp_min(_EPSILON)
        square = length.square()
        squashed: Tensor = vectors * (square / (1 + square)).pow(self._power) / length
        return squashed
