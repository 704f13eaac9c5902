"""Edges from users to items, user by user."""

from __future__ import annotations

import logging

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from raymon.data.sampling.item_table import ItemTable, weights_of
from raymon.data.sampling.text_table import read_tables
from raymon.data.values.hashing import key_ids
from raymon.errors import DataError

_log = logging.getLogger("raymon")

Indices = npt.NDArray[np.int64]


class Edges:
    """The items to which each user has an edge; a user without edges is none of it.

    Edges of weight 0, and those to items that the table of items does not have, are left out.

    Args:
        path: Files of the table of edges: users, items and weights, in this order.
        delimiter: In text, what is between the columns.
        items: The items.

    Raises:
        DataError: There is no edge, a column is missing, or a weight is negative or no number.
    """

    def __init__(self, path: str, delimiter: str, items: ItemTable) -> None:
        users, found, weights = [], [], []
        for name, table in read_tables(path, delimiter):
            if len(table.column_names) < 2:
                raise DataError(
                    f"{name}: has the column {' and '.join(table.column_names)} alone; edges are "
                    "users, items and weights"
                )
            users.append(_keys(table, 0, name))
            found.append(items.find(_keys(table, 1, name)))
            has_weights = len(table.column_names) > 2
            weights.append(weights_of(table[2], name, 0) if has_weights else np.ones(len(table)))
        all_users, all_items = np.concatenate(users), np.concatenate(found)
        all_weights = np.concatenate(weights)
        if not len(all_users):
            raise DataError(f"{path}: has no edges")
        known = (all_items >= 0) & (all_weights > 0)
        unknown = int((all_items < 0).sum())
        if unknown:
            _log.warning(
                "%s: %s of %s edges are to items that the table of items does not have; they are "
                "left out",
                path,
                unknown,
                len(all_items),
            )
        if not known.any():
            raise DataError(f"{path}: has no edge to an item of the table of items")
        order = np.argsort(all_users[known], kind="stable")
        self._users, self._begins = np.unique(all_users[known][order], return_index=True)
        self._ends = np.append(self._begins[1:], len(order))
        self._items: Indices = all_items[known][order]
        self._weights: npt.NDArray[np.float64] = all_weights[known][order]

    def of(self, users: npt.NDArray[np.int64]) -> tuple[Indices, Indices]:
        """Returns the edges of some users.

        Args:
            users: Keys of the users, `[B]`.

        Returns:
            The row in `users`, and the number of the edge, of each edge, int64 `[E]`.
        """
        places = np.minimum(np.searchsorted(self._users, users), len(self._users) - 1)
        there = self._users[places] == users
        counts = np.where(there, self._ends[places] - self._begins[places], 0)
        rows = np.repeat(np.arange(len(users)), counts)
        first = counts.cumsum() - counts
        within = np.arange(counts.sum()) - first[rows]
        return rows, self._begins[places][rows] + within

    def items(self, edges: Indices) -> Indices:
        """Returns the index of the item of each edge, by the numbers of edges."""
        found: Indices = self._items[edges]
        return found

    def draw(
        self,
        generator: np.random.Generator,
        users: npt.NDArray[np.int64],
        own: Indices,
        most: int,
    ) -> tuple[Indices, Indices, Indices]:
        """Draws items of edges for the row of each user, none of them twice.

        All of a user's edges are drawn if there are at most as many; of more, the ones with the
        smallest of exponential times with their weights as rates (Efraimidis & Spirakis 2006).

        Args:
            generator: Source of the random numbers.
            users: Keys of the users, `[B]`.
            own: Index of the item of each row, which is not drawn for it, `[B]`.
            most: Most items of a row; 0 for all.

        Returns:
            Row, place among those of the row, and index of the item of each draw, int64 `[H]`, by
            row.
        """
        rows, edges = self.of(users)
        items = self._items[edges]
        others = items != own[rows]
        rows, edges, items = rows[others], edges[others], items[others]
        times = generator.exponential(size=len(edges)) / self._weights[edges]
        order = np.lexsort((times, rows))
        rows, items = rows[order], items[order]
        first = np.searchsorted(rows, np.arange(len(users)))
        columns = np.arange(len(rows)) - first[rows]
        if not most:
            return rows, columns, items
        kept = columns < most
        return rows[kept], columns[kept], items[kept]


def _keys(table: pa.Table, column: int, path: str) -> npt.NDArray[np.int64]:
    name = table.column_names[column]
    if table[column].null_count:
        row = int(np.argmax(table[column].is_null().to_numpy()))
        raise DataError(f"{path}: row {row}: has no {name}")
    try:
        keys: npt.NDArray[np.int64] = key_ids(table[column]).numpy()
    except ValueError as error:
        raise DataError(f"{path}: column {name}: value {error}") from None
    return keys
