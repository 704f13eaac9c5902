"""The weights of an exported model: safetensors files that are read by memory map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

WEIGHTS = "weights.safetensors"

WEIGHTS_PATTERN = r"weights(-\d{5}-of-\d{5})?\.safetensors"
"""Regular expression of the names of the files."""

PART_BYTES = 2_000_000_000
"""Largest size of a file, in bytes; only a single tensor may be larger."""

_ENTRY_BYTES = 1024
"""Bytes that a tensor may take in the header of its file."""


def table_part_bytes(part_bytes: int = PART_BYTES) -> int:
    """Returns the largest size in bytes of a part of a table, so that its file is no larger."""
    # Numbers and scales are two tensors.
    return part_bytes - 2 * _ENTRY_BYTES


def write_weights(
    directory: Path, tensors: Mapping[str, Tensor], part_bytes: int = PART_BYTES
) -> list[str]:
    """Writes tensors into files: one, or several if they are larger than a file may be.

    Args:
        directory: Directory of the files.
        tensors: Tensors on the CPU, by name.
        part_bytes: Largest size of a file, in bytes.

    Returns:
        The names of the files.
    """
    parts = _split(tensors, part_bytes)
    names = [WEIGHTS]
    if len(parts) > 1:
        numbers = range(1, len(parts) + 1)
        names = [f"weights-{number:05}-of-{len(parts):05}.safetensors" for number in numbers]
    for name, part in zip(names, parts, strict=True):
        (directory / name).write_bytes(to_bytes(_separate({n: tensors[n] for n in part})))
    return names


def map_weights(directory: Path, names: Sequence[str]) -> dict[str, Tensor]:
    """Returns the tensors of files, by name.

    They are in memory maps of the files, of which only what is read takes memory. The files may be
    removed while the tensors are used.
    """
    tensors: dict[str, Tensor] = {}
    for name in names:
        with safe_open(directory / name, framework="pt") as file:
            inside: list[str] = file.keys()
            tensors.update({tensor: file.get_tensor(tensor) for tensor in inside})
    return tensors


def _separate(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Returns tensors of which no two share memory, which safetensors does not accept."""
    separate: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in tensors.items():
        memory = tensor.untyped_storage().data_ptr()
        own = tensor.clone() if memory in seen else tensor
        separate[name] = own.contiguous()
        seen.add(memory)
    return separate


def _split(tensors: Mapping[str, Tensor], part_bytes: int) -> list[list[str]]:
    """Returns the names of the tensors of each file."""
    parts: list[list[str]] = []
    sizes: list[int] = []
    for name, tensor in tensors.items():
        own = tensor.nbytes + _ENTRY_BYTES
        # The first file with room for it, so that small tensors fill the gaps of large ones.
        with_room = (part for part, size in enumerate(sizes) if size + own <= part_bytes)
        part = next(with_room, len(parts))
        if part == len(parts):
            parts.append([])
            sizes.append(0)
        parts[part].append(name)
        sizes[part] += own
    # A model may have no weights.
    return parts or [[]]
