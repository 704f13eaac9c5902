"""The content of a checkpoint, as torch's own reader finds it."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.distributed.checkpoint as dcp

from raymon.training.checkpoint.manifest import MANIFEST, encode_manifest


def saved_tensors(checkpoint: Path) -> dict[str, torch.Tensor]:
    """Returns all tensors of a checkpoint, by name."""
    found = dcp.FileSystemReader(checkpoint).read_metadata().state_dict_metadata
    tensors = {name: torch.empty(e.size, dtype=e.properties.dtype) for name, e in found.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dcp.load(tensors, checkpoint_id=checkpoint, no_dist=True)
    return tensors


def saved_model(checkpoint: Path) -> dict[str, torch.Tensor]:
    """Returns the parameters and buffers of the model, by name."""
    prefix = "model."
    tensors = saved_tensors(checkpoint).items()
    return {n.removeprefix(prefix): t for n, t in tensors if n.startswith(prefix)}


def rewrite_manifest(checkpoint: Path, changes: Mapping[str, Any]) -> None:
    """Changes a manifest as if it had been written so."""
    manifest = json.loads((checkpoint / MANIFEST).read_text())
    del manifest["sha256"]
    (checkpoint / MANIFEST).write_bytes(encode_manifest({**manifest, **changes}))
