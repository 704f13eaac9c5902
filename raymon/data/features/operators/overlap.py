"""How much the terms of a query and those of a title overlap, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from raymon.data.features.operators.operator import Operator
from raymon.data.features.operators.rows import Floats, Ints, pairs_of_rows, starts_of, value_rows
from raymon.data.features.operators.values import ID_TYPES, accepts_ids
from raymon.data.values.hashing import hash_values

METHODS = (
    "query_common_ratio",
    "title_common_ratio",
    "is_contain",
    "is_equal",
    "index_of",
    "proximity_min_cover",
    "proximity_min_dist",
    "proximity_max_dist",
    "proximity_avg_dist",
)
"""What is computed of the terms, by name."""


@dataclass(frozen=True)
class Terms:
    """Which terms of queries and of titles are the same.

    Attributes:
        query: Number of terms of each query, int64 `[B]`.
        title: Number of terms of each title, int64 `[B]`.
        in_query: Index of the term of the query of each pair in a row, int64 `[P]`.
        in_title: Index of the term of the title, int64 `[P]`.
        same: Whether the two are the same, bool `[P]`.
    """

    query: Ints
    title: Ints
    in_query: Ints
    in_title: Ints
    same: npt.NDArray[np.bool_]

    @property
    def query_rows(self) -> Ints:
        """The row of each term of the queries, int64."""
        return np.repeat(np.arange(len(self.query)), self.query)

    @property
    def title_rows(self) -> Ints:
        """The row of each term of the titles, int64."""
        return np.repeat(np.arange(len(self.title)), self.title)


@dataclass(frozen=True)
class Overlap(Operator):
    """A number of the terms of a query and of a title, by one of `METHODS`.

    Attributes:
        method: What is computed.
        separator: Text between the terms of one string.
    """

    method: str
    separator: str

    @property
    def output_type(self) -> pa.DataType:
        """Numbers."""
        return pa.float64()

    def accepted_types(self, index: int) -> str:
        """Returns the accepted types, in words for a message."""
        return ID_TYPES

    def accepts(self, index: int, column_type: pa.DataType) -> bool:
        """Whether terms have a canonical form."""
        return accepts_ids(column_type)

    def apply(self, columns: Sequence[pa.Array]) -> pa.Array:
        """Returns the number of each row."""
        query, title = (value_rows(column, self.separator) for column in columns)
        ours, theirs = pairs_of_rows(query.lengths, title.lengths)
        same = hash_values(query.values)[ours] == hash_values(title.values)[theirs]
        terms = Terms(query.lengths, title.lengths, ours, theirs, same)
        if self.method == "query_common_ratio":
            return pa.array(_shared(terms.in_query[same], terms.query_rows, terms.query))
        if self.method == "title_common_ratio":
            return pa.array(_shared(terms.in_title[same], terms.title_rows, terms.title))
        if self.method == "proximity_min_cover":
            return pa.array(_min_cover(terms))
        if self.method.startswith("proximity_"):
            return pa.array(_distance(terms, self.method))
        first = _index_of(terms)
        if self.method == "index_of":
            return pa.array(first.astype(np.float64))
        found = first >= 0
        if self.method == "is_equal":
            found &= terms.query == terms.title
        return pa.array(found.astype(np.float64))


def _shared(indices: Ints, rows: Ints, lengths: Ints) -> Floats:
    """Returns the share of the terms of each row that are among some indices; 0 without terms."""
    shared = np.zeros(len(rows), bool)
    shared[indices] = True
    counts = np.bincount(rows[shared], minlength=len(lengths))
    return counts / np.maximum(lengths, 1)


def _index_of(terms: Terms) -> Ints:
    """Returns where the query as a whole is first found in the title; -1 where it is not."""
    rows = terms.query_rows[terms.in_query]
    in_query = terms.in_query - starts_of(terms.query)[rows]
    in_title = terms.in_title - starts_of(terms.title)[rows]
    begins = in_title - in_query
    inside = terms.same & (begins >= 0)
    # A query that begins at a place has all of its terms on one diagonal of the pairs.
    places = starts_of(terms.title)[rows[inside]] + begins[inside]
    counts = np.bincount(places, minlength=int(terms.title.sum()))
    whole = np.flatnonzero(counts == np.maximum(terms.query[terms.title_rows], 1))
    first: Ints = np.full(len(terms.query), -1)
    of_row = terms.title_rows[whole]
    # The first of each row is written last.
    first[of_row[::-1]] = (whole - starts_of(terms.title)[of_row])[::-1]
    return first


def _min_cover(terms: Terms) -> Floats:
    """Returns the length of the shortest part of the title that has all terms of the query.

    It is 0 where a term is not there (Tao and Zhai, An Exploration of Proximity Measures in
    Information Retrieval, SIGIR 2007, section 4.1).
    """
    rows = terms.query_rows[terms.in_query]
    position = terms.in_title - starts_of(terms.title)[rows]
    size = int(terms.title.max(initial=0)) + 1
    # The last place of each term of the query up to each place of the title: a running maximum,
    # in which later terms are above all places of earlier ones.
    base = terms.in_query * size
    last = np.maximum.accumulate(base + np.where(terms.same, position + 1, 0)) - base
    cells = starts_of(terms.title)[rows] + position
    earliest = np.full(int(terms.title.sum()), size)
    np.minimum.at(earliest, cells, last)
    length = np.arange(len(earliest)) - starts_of(terms.title)[terms.title_rows] - earliest + 2
    covered = (earliest > 0) & (terms.query[terms.title_rows] > 0)
    cover = np.full(len(terms.query), size)
    np.minimum.at(cover, terms.title_rows[covered], length[covered])
    return np.where(cover == size, 0, cover).astype(np.float64)


def _distance(terms: Terms, method: str) -> Floats:
    """Returns a number of the closest distances of all pairs of terms of the query in the title.

    Terms that are not there are left out; with one alone it is the number of terms of the title
    (Tao and Zhai 2007, section 4.1), without any it is one more.
    """
    query, title = terms.in_query[terms.same], terms.in_title[terms.same]
    rows = terms.query_rows[query]
    counts = np.bincount(rows, minlength=len(terms.query))
    ours, theirs = pairs_of_rows(counts, counts)
    apart = query[ours] < query[theirs]
    ours, theirs = ours[apart], theirs[apart]
    distance = np.abs(title[ours] - title[theirs])
    # The closest occurrences of each pair of terms come first.
    order = np.lexsort((distance, query[theirs], query[ours]))
    first = order[_changes(query[ours][order], query[theirs][order])]
    of_row, closest = rows[ours[first]], distance[first].astype(np.float64)
    pairs = np.bincount(of_row, minlength=len(counts))
    result = np.where(counts > 0, terms.title, terms.title + 1).astype(np.float64)
    has = pairs > 0
    if not has.any():
        return result
    begins = starts_of(pairs)[has]
    if method == "proximity_min_dist":
        result[has] = np.minimum.reduceat(closest, begins)
    elif method == "proximity_max_dist":
        result[has] = np.maximum.reduceat(closest, begins)
    else:
        result[has] = np.add.reduceat(closest, begins) / pairs[has]
    return result


def _changes(first: Ints, second: Ints) -> npt.NDArray[np.bool_]:
    """Returns where sorted pairs differ from those before them."""
    changed = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
    return np.append(True, changed)[: len(first)]
