"""The check for tables that find no row for more and more of their lookups."""

from __future__ import annotations

from collections.abc import Mapping

from raymon.diagnosis.numbers.series import Series, mean_and_error
from raymon.diagnosis.numbers.series_check import SeriesCheck
from raymon.results import Snapshot

_COMPARED = 20
_ERRORS = 6.0
_CLIMBS = 0.05


class FallbackClimbs(SeriesCheck):
    """Finds growing tables whose share of lookups in the fallback row has climbed.

    It begins with all of them, and falls while ids are admitted; it climbs when a table is full and
    new ids come.
    """

    kind = "table_fallback_climbs"

    def __init__(self) -> None:
        super().__init__()
        # The lowest mean and its error.
        self._lowest: dict[str, tuple[float, float]] = {}

    def begin_attempt(self, step: int) -> None:
        """Forgets later steps; the lowest share is found again."""
        super().begin_attempt(step)
        self._lowest = {}

    def values(self, snapshot: Snapshot) -> Mapping[str, float]:
        """Returns the share of the lookups of each table that met its fallback row."""
        return {
            name: table.counts["fallback_lookups"] / table.lookups
            for name, table in snapshot.tables.items()
            if "fallback_lookups" in table.counts and table.lookups > 0
        }

    def judge(self, name: str, series: Series, snapshot: Snapshot) -> str | None:
        """Compares the mean of the newest shares with the lowest mean."""
        if len(series) < _COMPARED:
            return None
        mean, error = mean_and_error(series.values[-_COMPARED:])
        lowest, its_error = min(self._lowest.get(name, (mean, error)), (mean, error))
        self._lowest[name] = lowest, its_error
        if mean - lowest <= _CLIMBS + _ERRORS * (error**2 + its_error**2) ** 0.5:
            return None
        return (
            f"table {name}: {mean:.1%} of the lookups meet the fallback row, after {lowest:.1%}: "
            "ids come that have no row"
        )
