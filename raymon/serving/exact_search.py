"""Exact search of the items whose vectors are nearest, and the recall of it."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from raymon.data import parquet_paths
from raymon.errors import DataError, UserError

_QUERIES, _ITEMS = 1 << 10, 1 << 16
"""Queries, and items, of one matrix product: 256 MB of scores."""


def exact_search(queries: Tensor, items: Tensor, top_k: int) -> tuple[Tensor, Tensor]:
    """Finds the items with the largest inner products, block by block.

    Vectors of a tower with COSINE have length 1, so that these are their cosines.

    Args:
        queries: Vectors of users, float32 `[Q, D]`.
        items: Vectors of items, float32 `[N, D]`, on the same device.
        top_k: Number of items, k; fewer if there are not as many.

    Returns:
        The products, float32 `[Q, k]`, largest first, and the indices of the items, int64 `[Q, k]`.

    Raises:
        UserError: `top_k` is below 1, or vectors are not of one length.
    """
    if top_k < 1:
        raise UserError(f"exact_search: top_k is {top_k}; it must be at least 1")
    if queries.dim() != 2 or items.dim() != 2 or queries.shape[1] != items.shape[1]:
        raise UserError(
            f"exact_search: queries have shape {list(queries.shape)} and items "
            f"{list(items.shape)}; they must be [Q, D] and [N, D]"
        )
    found = [_search(block, items, top_k) for block in queries.split(_QUERIES)]
    return torch.cat([scores for scores, _ in found]), torch.cat([places for _, places in found])


def _search(queries: Tensor, items: Tensor, top_k: int) -> tuple[Tensor, Tensor]:
    scores = queries.new_empty(len(queries), 0)
    indices = torch.empty(len(queries), 0, dtype=torch.int64, device=queries.device)
    for first in range(0, len(items), _ITEMS):
        block = items[first : first + _ITEMS]
        own, places = (queries @ block.T).topk(min(top_k, len(block)), dim=1)
        scores = torch.cat([scores, own], 1)
        indices = torch.cat([indices, places + first], 1)
        scores, best = scores.topk(min(top_k, scores.shape[1]), dim=1)
        indices = indices.gather(1, best)
    return scores, indices


def search_recall(
    users: str, items: str, item_id: str, top_k: int | Sequence[int]
) -> dict[int, float]:
    """Returns the share of rows whose own item is among the nearest of all items.

    Args:
        users: Parquet files with `user_tower_emb`, and with the id of the item of each row, as
            `raymon predict RUN/export/user ROWS OUT --keep ID` writes them.
        items: Parquet files with `item_tower_emb` and the id of each item, likewise.
        item_id: Name of the column of ids in both.
        top_k: Number of nearest items, or several.

    Returns:
        The recall by number of items. An item that is not in `items` is never found; of users with
        several vectors the items are those nearest to any of them.

    Raises:
        UserError: A file lacks a column, has no rows, or vectors of another length.
    """
    wanted = [top_k] if isinstance(top_k, int) else list(top_k)
    rows, own = _read(users, "user_tower_emb", item_id)
    vectors, ids = _read(items, "item_tower_emb", item_id)
    found = _nearest(rows, vectors, max(wanted))
    # Ids as numbers, so that they can be compared at once.
    numbers = pa.concat_arrays([own, ids.cast(own.type)]).dictionary_encode().indices.to_numpy()
    codes = torch.from_numpy(numbers).long()
    hits = codes[len(own) :][found] == codes[: len(own), None]
    return {k: float(hits[:, :k].any(1).double().mean()) for k in wanted}


def _nearest(users: Tensor, items: Tensor, top_k: int) -> Tensor:
    """Returns the items that are nearest to any of the vectors of each user, `[B, k]`."""
    interests = users.shape[1] // items.shape[1]
    if interests * items.shape[1] != users.shape[1]:
        raise DataError(
            f"user_tower_emb has {users.shape[1]} numbers and item_tower_emb {items.shape[1]}; "
            "vectors of users have as many, or a multiple for several interests"
        )
    # The k nearest to any vector are among the k nearest to each.
    each = users.view(-1, items.shape[1])
    scores, found = exact_search(each, items, top_k)
    # An interest that a user does not have is 0, and near to nothing.
    scores = scores.masked_fill((each == 0).all(1, keepdim=True), -torch.inf)
    order = scores.view(len(users), -1).sort(dim=1, descending=True, stable=True).indices
    ranked = found.view(len(users), -1).gather(1, order)
    if interests == 1:
        return ranked
    # An item that several of them are near to comes once.
    by_item = ranked.sort(dim=1, stable=True)
    repeated = torch.zeros_like(ranked, dtype=torch.bool)
    repeated.scatter_(1, by_item.indices[:, 1:], by_item.values[:, 1:] == by_item.values[:, :-1])
    first = repeated.long().sort(dim=1, stable=True).indices[:, :top_k]
    return ranked.gather(1, first)


def _read(path: str, vectors: str, key: str) -> tuple[Tensor, pa.Array]:
    tables = []
    for file in parquet_paths(path):
        names = pq.read_schema(file).names
        for name in (vectors, key):
            if name not in names:
                raise DataError(f"{file}: has no column {name}; it has {', '.join(names)}")
        tables.append(pq.read_table(file, columns=[vectors, key]))
    table = pa.concat_tables(tables)
    if not len(table):
        raise DataError(f"{path}: has no rows")
    lists = table[vectors].combine_chunks()
    flat = lists.flatten().to_numpy(zero_copy_only=False)
    return torch.from_numpy(flat).view(len(table), -1), table[key].combine_chunks()
