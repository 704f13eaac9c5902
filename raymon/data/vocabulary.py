"""Listed values and their ids: 0 is a missing value, 1 one that is not listed, 2 the first one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from raymon.data.columns import is_string

UNLISTED, FIRST = 1, 2


def numbered(values: Sequence[str]) -> dict[str, int]:
    """Ids of values in their order.

    Raises:
        ValueError: a value is empty, or there twice.
    """
    if "" in values or len(set(values)) != len(values):
        raise ValueError("values must differ and none may be empty")
    return {value: id for id, value in enumerate(values, FIRST)}


def read_values(path: str) -> dict[str, int]:
    """Ids of the values of a file, one a line.

    Raises:
        ValueError: the file cannot be read, or has an empty line, or a value twice.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
    if not lines:
        raise ValueError(f"{path} is empty")
    return numbered(lines)


def look_up(values: pa.Array, vocab: Mapping[str, int]) -> npt.NDArray[np.int64]:
    """The ids of values `[N]`, strings or integers, none of them null: int64 `[N]`.

    An integer is the listed value that spells it.
    """
    strings = is_string(values.type)
    listed = list(vocab) if strings else [text for text in vocab if spells_integer(text)]
    ids = np.array([UNLISTED, *(vocab[text] for text in listed)], np.int64)
    kind = pa.large_string() if strings else pa.int64()
    known = pa.array(listed if strings else [int(text) for text in listed], kind)
    found = pc.index_in(values.cast(kind, safe=False), known).fill_null(-1)
    taken: npt.NDArray[np.int64] = ids[found.to_numpy(zero_copy_only=False) + 1]
    return taken


def spells_integer(text: str) -> bool:
    """Whether a text is an integer of 64 bits, as it is usually written."""
    try:
        return str(int(text)) == text and -(2**63) <= int(text) < 2**63
    except ValueError:
        return False
