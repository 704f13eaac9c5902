"""Smaller elements before each element of a permutation: the inversions of its mirror image."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

_PIECE = 1 << 16
"""Elements that are processed at a time, so that intermediate results stay small."""

_WORD_BITS = 6
_WORD = 1 << _WORD_BITS
"""Elements whose ranks are the bits of one integer."""


def smaller_before(rank: Tensor) -> Tensor:
    """Returns how many smaller elements stand before each element of a permutation.

    It is a radix sort from the top bit: elements that share their top bits form a block of known
    size and place. A block is split in two by the next bit, keeping the order; the count of an
    element of the upper half grows by the elements of the lower half that stand before it. Blocks
    of 64 are counted at once, in bit sets. O(n log n); no control flow depends on the data, so no
    device is waited for.

    Args:
        rank: Each of 0 to N - 1 once, int32 `[N]`; N is below 2^30.

    Returns:
        The counts, int32 `[N]`, in the order of the ranks.
    """
    rank, moved_rank = rank.clone(), torch.empty_like(rank)
    found, moved_found = torch.zeros_like(rank), torch.empty_like(rank)
    for bit in reversed(range(_WORD_BITS, (len(rank) - 1).bit_length())):
        for piece, upper, before, place in halves(rank, bit):
            moved_rank.scatter_(0, place, rank[piece])
            moved_found.scatter_(0, place, found[piece].addcmul(upper, before))
        rank, moved_rank = moved_rank, rank
        found, moved_found = moved_found, found
    for piece in pieces(len(rank)):
        counted = found[piece] + _smaller_before_in_words(rank[piece])
        moved_found.scatter_(0, rank[piece].long(), counted)
    return moved_found


def weight_of_smaller_before(rank: Tensor, weight: Tensor) -> Tensor:
    """Returns the weight of the smaller elements that stand before each element of a permutation.

    Args:
        rank: Each of 0 to N - 1 once, int32 `[N]`; N is below 2^30.
        weight: Weights in the order of the ranks, less than 2^63 in all, int64 `[N]`.

    Returns:
        The sums, int64 `[N]`, in the order of the ranks.
    """
    rank, moved = rank.clone(), torch.empty_like(rank)
    found = torch.zeros_like(weight)
    below = starts(weight)
    for bit in reversed(range((len(rank) - 1).bit_length())):
        # The weight of the lower halves of the blocks before each block.
        blocks = len(rank) - 1 >> (bit + 1)
        edges = below[: blocks << (bit + 1)].view(blocks, 2, 1 << bit)[:, :, 0]
        others = starts(edges[:, 1] - edges[:, 0])
        lowers = weight.new_zeros(())
        for piece, upper, _, place in halves(rank, bit):
            moved.scatter_(0, place, rank[piece])
            index = rank[piece].long()
            up_to = (weight[index] * (1 - upper)).cumsum(0).add_(lowers)
            lowers = up_to[-1]
            found.index_add_(0, index, (up_to - others[index >> (bit + 1)]).mul_(upper))
        rank, moved = moved, rank
    return found


def starts(sizes: Tensor) -> Tensor:
    """Returns where each of a row of segments starts, and where the last one ends.

    Args:
        sizes: Lengths of the segments, int64 `[S]`.

    Returns:
        The indices, int64 `[S + 1]`.
    """
    return torch.nn.functional.pad(sizes.cumsum(0), (1, 0))


def halves(rank: Tensor, bit: int) -> Iterator[tuple[slice, Tensor, Tensor, Tensor]]:
    """Splits every block of 2^(bit + 1) ranks by that bit, piece by piece.

    Args:
        rank: Ranks in blocks that share the higher bits, int32 `[N]`.
        bit: Index of the bit.

    Yields:
        The piece, `[P]` of the rows; 1 for the upper half of a block, 0 for the lower; for the
        upper half, how many of the lower stand before; and, int64, the place in the order by blocks
        of 2^bit ranks. int32 `[P]`.
    """
    uppers = rank.new_zeros(())
    for piece in pieces(len(rank)):
        upper = (rank[piece] >> bit) & 1
        index = torch.arange(piece.start, piece.stop, dtype=torch.int32, device=rank.device)
        # Every block before is full, so half of it is upper.
        others = (index >> (bit + 1)) << bit
        # Elements of upper halves up to here, and of lower halves.
        up_to = upper.cumsum(0, dtype=torch.int32).add_(uppers)
        uppers = up_to[-1]
        lower = index - up_to
        before = (lower - others).add_(1)
        # An element of the lower half goes to its place among these, one of the upper half behind
        # all of them.
        behind = (up_to - lower).add_((1 << bit) - 1)
        yield piece, upper, before, lower.add_(others).addcmul_(upper, behind).long()


def pieces(rows: int) -> Iterator[slice]:
    """Yields the slices of at most `_PIECE` rows."""
    for start in range(0, rows, _PIECE):
        yield slice(start, min(start + _PIECE, rows))


def _smaller_before_in_words(rank: Tensor) -> Tensor:
    """Returns the counts within blocks of `_WORD` ranks, for a piece that begins with a block.

    Returns:
        The counts, int32 `[P]`.
    """
    index = torch.arange(len(rank), device=rank.device)
    own = torch.ones_like(index) << (rank & (_WORD - 1)).long()
    # Each bit comes once in a block, so a sum is a union; the bits of a full block sum to -1.
    seen = own.cumsum(0) - own + (index >> _WORD_BITS)
    return _count_bits(seen & (own - 1)).to(torch.int32)


def _count_bits(words: Tensor) -> Tensor:
    """Returns how many bits are set below the highest: int64 `[P]`."""
    # In pairs, then fours, then eights (Warren, Hacker's Delight, 5-1).
    words = words - ((words >> 1) & 0x5555555555555555)
    words = (words & 0x3333333333333333) + ((words >> 2) & 0x3333333333333333)
    words = (words + (words >> 4)) & 0x0F0F0F0F0F0F0F0F
    return (words * 0x0101010101010101) >> 56
