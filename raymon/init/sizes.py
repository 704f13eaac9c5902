"""Sizes of a first model and of its batches, by the number of rows."""

from __future__ import annotations

from dataclasses import dataclass

_SMALL, _LARGE, _HUGE = 50_000, 1_000_000, 20_000_000
_LINES = 50
_SAVES = 5


@dataclass(frozen=True)
class Sizes:
    """Sizes for a number of rows.

    Attributes:
        batch_size: Rows of a batch.
        epochs: Passes over the data.
        embedding_dim: Size of an embedding.
        hidden_units: Sizes of the layers of an MLP.
        sparse_optimizer: Optimizer of the tables, as protobuf text.
        log_steps: Steps that a progress line covers.
        save_steps: Steps between two checkpoints.
    """

    batch_size: int
    epochs: int
    embedding_dim: int
    hidden_units: tuple[int, ...]
    sparse_optimizer: str
    log_steps: int
    save_steps: int


def sizes_for(rows: int) -> Sizes:
    """Returns the sizes for so many rows of training data."""
    hidden: tuple[int, ...]
    if rows < _SMALL:
        batch_size, epochs, dim, hidden = 128, 3, 8, (64, 32)
        optimizer = "adam_optimizer { lr: 0.003 }"
    elif rows < _LARGE:
        batch_size, epochs, dim, hidden = 512, 1, 8, (128, 64)
        optimizer = "adagrad_optimizer { lr: 0.05 }"
    else:
        batch_size, epochs, dim, hidden = 4096 if rows >= _HUGE else 2048, 1, 16, (256, 128, 64)
        optimizer = "adagrad_optimizer { lr: 0.05 }"
    steps = max(1, -(-rows // batch_size) * epochs)
    log_steps = min(100, max(1, steps // _LINES))
    save_steps = min(1000, max(log_steps, -(-steps // _SAVES)))
    return Sizes(batch_size, epochs, dim, hidden, optimizer, log_steps, save_steps)
