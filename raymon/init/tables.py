"""How values get ids: by a vocabulary, as integers that they are, or by a hash."""

from __future__ import annotations

import math

from raymon.data import ColumnProfile
from raymon.init.feature_text import listed, quoted

_VOCABULARY = 100
_HEADROOM = 1.2
_PER_VALUE = 4
_LARGEST = 50_000_000


def ids_of(profile: ColumnProfile) -> tuple[str, str]:
    """Returns the field that gives values their ids, and why, in words.

    Args:
        profile: What the values of the column are like.
    """
    found, numbers = profile.cardinality, profile.numbers
    about = (
        f"{found.estimated:,} values"
        if found.estimated == found.seen
        else (f"about {found.estimated:,} values")
    )
    if found.estimated <= _VOCABULARY:
        words = sorted(quoted(text) for text, _ in profile.common)
        if numbers is not None:
            words = [quoted(t) for t, _ in sorted(profile.common, key=lambda item: float(item[0]))]
        return f"vocab_list: {listed(words, '    ')}", f"{about}, listed; others share one id"
    if numbers is not None and numbers.are_integers and numbers.least >= 0:
        size = nice(_HEADROOM * (numbers.most + 1))
        if size <= 2 * _HEADROOM * found.estimated + 1000:
            return f"num_buckets: {size}", f"{about}, integers up to {numbers.most:,.0f}: ids as is"
    size = min(nice(_PER_VALUE * found.estimated), _LARGEST)
    return (
        f"hash_bucket_size: {size}",
        f"{about}; so large that few share an id",
    )


def nice(number: float) -> int:
    """Returns the next number of two digits and zeros, such as 3,400 for 3,310."""
    unit: int = 10 ** max(0, math.floor(math.log10(max(number, 1))) - 1)
    return math.ceil(number / unit) * unit
