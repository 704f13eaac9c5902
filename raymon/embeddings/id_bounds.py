"""A check of ids that would find rows of another table of a joint one."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor


def check_ids(ids: Iterable[tuple[str, Tensor, int]]) -> None:
    """Checks that ids have rows in their tables; on a device, which would have to be asked, not.

    Args:
        ids: Name of a feature, its ids, int64 `[n]`, and the number of rows of its table.

    Raises:
        IndexError: An id is negative, or not below the number of rows.
    """
    for name, values, rows in ids:
        if not values.is_cpu or not len(values):
            continue
        # By numpy: torch takes several times as long for few ids.
        array = values.numpy()
        low, high = int(array.min()), int(array.max())
        if low < 0 or high >= rows:
            raise IndexError(
                f"{name}: has the id {low if low < 0 else high}, and its table {rows} rows"
            )
