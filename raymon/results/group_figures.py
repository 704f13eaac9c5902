"""How the figures of the groups of a grouped metric are distributed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class GroupFigures:
    """The figures of the groups of all ranks, as the AUC of each, without groups that have none.

    Attributes:
        edges: Edges of bins of figures, from 0 to 1, ascending `[n + 1]`; the last bin has its
            upper edge.
        groups: Number of groups in each bin, `[n]`; each counts once, whatever its rows.
        quantiles: Figures by the share of groups at or below them, as in `{"0.5": 0.71}`; to the
            nearest thousandth.
    """

    edges: Sequence[float]
    groups: Sequence[int]
    quantiles: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Returns the object of a metric in a line of `monitor/evaluations.jsonl`."""
        return {
            "edges": list(self.edges),
            "groups": list(self.groups),
            "quantiles": dict(self.quantiles),
        }
