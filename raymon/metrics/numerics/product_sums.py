"""Sums of products of large integers, which do not depend on the order of adding."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

LIMBS = 7
"""Length of a sum: its limbs, from the lowest."""

_LIMB_BITS = 16
_LIMB = (1 << _LIMB_BITS) - 1
_LEFT, _RIGHT = 4, 3
_LOW = 3
"""Limbs of the lower part of a sum, which float64 holds exactly."""


def product_limbs(left: Tensor, right: Tensor, add_up: Callable[[Tensor], Tensor]) -> Tensor:
    """Returns sums of `left * right`, which may exceed 64 bits, in limbs of 16 bits.

    Args:
        left: Factors, not negative, int64 `[N]`; N is below 2^28.
        right: Factors in [0, 2^48), int64 `[N]`.
        add_up: Function from int64 `[N]` to its sums `[G]`.

    Returns:
        int64 `[LIMBS, G]`, limbs of any size; those of parts of the rows add up.
    """
    sums = []
    for place in range(LIMBS - 1):
        total = torch.zeros_like(left)
        for i in range(max(0, place - _RIGHT + 1), min(place, _LEFT - 1) + 1):
            total.addcmul_(_limb(left, i), _limb(right, place - i))
        sums.append(add_up(total))
    return torch.stack([*sums, torch.zeros_like(sums[0])])


def _limb(values: Tensor, place: int) -> Tensor:
    return (values >> (place * _LIMB_BITS)) & _LIMB


def limbs_to_real(limbs: Tensor) -> Tensor:
    """Returns the sum as a real: a function of the sum alone, which rises with it.

    Args:
        limbs: Limbs of a sum below 2^127, int64 `[LIMBS, G]`.

    Returns:
        The sums, float64 `[G]`.
    """
    low, high, carry = (torch.zeros_like(limbs[0]) for _ in range(3))
    for i, limb in enumerate(limbs[:-1]):
        # With every limb in its range, there is only one way to write a number.
        carry = carry + limb
        if i < _LOW:
            low += (carry & _LIMB) << (_LIMB_BITS * i)
        else:
            high += (carry & _LIMB) << (_LIMB_BITS * (i - _LOW))
        carry = carry >> _LIMB_BITS
    top = (carry + limbs[-1]).double() * 2.0 ** (_LIMB_BITS * (LIMBS - 1))
    return top + (high.double() * 2.0 ** (_LIMB_BITS * _LOW) + low.double())
