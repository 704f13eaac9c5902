"""Pieces of host memory do not overlap, and are the same ones each time."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from raymon.training.checkpoint.host_blocks import HostBlocks, Memory

SIZES = st.lists(st.integers(0, 3_000_000) | st.integers(0, 2000), max_size=8)


def addresses(pieces: list[Memory]) -> list[tuple[int, int]]:
    return [(piece.ctypes.data, piece.ctypes.data + len(piece)) for piece in pieces if len(piece)]


@given(st.lists(SIZES, min_size=1, max_size=4))
def test_pieces_have_their_sizes_and_do_not_overlap(saves: list[list[int]]) -> None:
    blocks = HostBlocks()
    for sizes in saves:
        pieces = blocks.cut(sizes)
        assert [len(piece) for piece in pieces] == sizes
        places = sorted(addresses(pieces))
        assert all(end <= begin for (_, end), (begin, _) in pairwise(places))
        for begin, _ in places:
            assert begin % 256 == 0
        for piece in pieces:
            piece[:] = 1


@given(SIZES)
def test_the_same_sizes_are_the_same_memory(sizes: list[int]) -> None:
    blocks = HostBlocks()
    first, kept = addresses(blocks.cut(sizes)), blocks.nbytes
    assert addresses(blocks.cut(sizes)) == first
    assert blocks.nbytes == kept


def test_what_grows_takes_memory_for_itself_alone() -> None:
    prepared: list[int] = []
    blocks = HostBlocks(lambda memory: prepared.append(len(memory)))
    large = blocks.cut([8 << 20, 100])[0]
    # The piece of 100 bytes finds no room for 3 MB more, the large one stays where it is.
    again = blocks.cut([8 << 20, 3 << 20])[0]
    assert addresses([again]) == addresses([large])
    assert prepared == [(8 << 20) + 256, 3 << 20]
    assert blocks.nbytes == sum(prepared)
    assert np.shares_memory(large, again)
