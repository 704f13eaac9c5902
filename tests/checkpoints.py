"""What is in a checkpoint, as torch's own reader finds it."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
import torch.distributed.checkpoint as dcp


def saved_tensors(checkpoint: Path) -> dict[str, torch.Tensor]:
    """All tensors of a checkpoint, by name."""
    found = dcp.FileSystemReader(checkpoint).read_metadata().state_dict_metadata
    tensors = {name: torch.empty(e.size, dtype=e.properties.dtype) for name, e in found.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dcp.load(tensors, checkpoint_id=checkpoint, no_dist=True)
    return tensors


def saved_model(checkpoint: Path) -> dict[str, torch.Tensor]:
    """The parameters and buffers of the model, by name."""
    prefix = "model."
    tensors = saved_tensors(checkpoint).items()
    return {n.removeprefix(prefix): t for n, t in tensors if n.startswith(prefix)}
