"""The health of an embedding table: what of it is used, and how."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class TableHealth:
    """The lookups in one embedding table in some steps, over all ranks.

    A figure without a value is NaN.

    Attributes:
        rows: Rows of the table.
        lookups: Ids that were looked up.
        distinct_rows: Different rows among them.
        touched_share: Share of the rows that were looked up since the run began.
        top10_share: Share of the lookups by the ten most frequent rows.
        mean_row_norm: Mean Euclidean norm of distinct rows that the last step looked up, by a
            sample of them.
        collision_share: Expected share of ids that share their row with another id; only where ids
            are hashes.
        counts: Further counts by name.
    """

    rows: int
    lookups: float = math.nan
    distinct_rows: float = math.nan
    touched_share: float = math.nan
    top10_share: float = math.nan
    mean_row_norm: float = math.nan
    collision_share: float = math.nan
    counts: Mapping[str, float] = field(default_factory=dict)

    def figures(self) -> dict[str, float]:
        """Returns all figures that change, by name."""
        return {
            "lookups": self.lookups,
            "distinct_rows": self.distinct_rows,
            "touched_share": self.touched_share,
            "top10_share": self.top10_share,
            "mean_row_norm": self.mean_row_norm,
            "collision_share": self.collision_share,
            **self.counts,
        }

    def to_json(self) -> dict[str, Any]:
        """Returns the object of a table in a line of `monitor/windows.jsonl`."""
        return {"rows": self.rows, **self.figures()}
