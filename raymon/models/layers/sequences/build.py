"""Builds the encoder that a block of the config describes."""

from __future__ import annotations

from typing import Any

from raymon.models.layers.sequences.encoder import Encoder
from raymon.models.layers.sequences.pooling import Pooling
from raymon.models.layers.sequences.self_attention import SelfAttention
from raymon.models.layers.sequences.simple_attention import SimpleAttention
from raymon.models.layers.sequences.target_attention import TargetAttention
from raymon.models.layers.sequences.windows import WindowedAttention


def build_encoder(kind: str, config: Any, query_dim: int, sequence_dim: int) -> Encoder:
    """Returns an encoder.

    Args:
        kind: Field of `sequence_encoders` that is set.
        config: Its block.
        query_dim: Length of a query.
        sequence_dim: Length of a position.
    """
    if kind == "din_encoder":
        most = config.max_seq_length
        return TargetAttention(query_dim, sequence_dim, config.attn_mlp, most)
    if kind == "multi_window_din_encoder":
        return WindowedAttention(query_dim, sequence_dim, config.attn_mlp, config.windows_len)
    if kind == "simple_attention":
        return SimpleAttention(sequence_dim, config.max_seq_length)
    if kind == "pooling_encoder":
        return Pooling(sequence_dim, config.pooling_type == "mean", config.max_seq_length)
    assert kind == "self_attention_encoder"
    return SelfAttention(
        sequence_dim,
        config.multihead_attn_dim,
        config.num_heads,
        config.dropout,
        config.max_seq_length,
    )
