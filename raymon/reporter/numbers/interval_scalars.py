"""Scalars that the user logged, over the steps between two snapshots."""

from __future__ import annotations

from raymon.protos.report_pb2 import LogIntervalState
from raymon.wire import ScalarTotals, decode_scalars, encode_scalars, merge_scalars


class IntervalScalars:
    """The scalars of the windows since the last snapshot.

    Args:
        totals: Totals so far, by name and reduction.
    """

    def __init__(self, totals: ScalarTotals | None = None) -> None:
        self._totals: ScalarTotals = {} if totals is None else totals

    def add(self, totals: ScalarTotals) -> None:
        """Adds the scalars of a window."""
        merge_scalars(self._totals, totals)

    def values(self) -> dict[str, float]:
        """Returns the value by name, in the order of the names; NaN where there is none."""
        mixed = self.mixed()
        return {
            name: float("nan") if name in mixed else total.value
            for (name, _), total in sorted(self._totals.items())
        }

    def non_finite(self) -> dict[str, int]:
        """Returns the number of values that are in no number, by name; only of names with any."""
        counts: dict[str, int] = {}
        for (name, _), total in sorted(self._totals.items()):
            if total.non_finite:
                counts[name] = counts.get(name, 0) + total.non_finite
        return counts

    def mixed(self) -> dict[str, str]:
        """Returns why names have no value that were logged with two reductions."""
        by_name: dict[str, list[str]] = {}
        for name, reduction in sorted(self._totals):
            by_name.setdefault(name, []).append(reduction)
        return {
            name: f"it is logged with reduce={' and with reduce='.join(map(repr, found))}"
            for name, found in by_name.items()
            if len(found) > 1
        }

    def no_value(self) -> dict[str, str]:
        """Returns why scalars have no value, by name with `scalar/` before it."""
        why = {
            name: f"none of {total.non_finite:,} values is a number that can be added up"
            for (name, _), total in self._totals.items()
            if not total.count
        }
        return {f"scalar/{name}": text for name, text in {**why, **self.mixed()}.items()}

    def save(self, state: LogIntervalState) -> None:
        """Writes what `restore` reads into a state."""
        state.scalars.extend(encode_scalars(self._totals))

    @classmethod
    def restore(cls, state: LogIntervalState) -> IntervalScalars:
        """Returns the scalars that `save` wrote."""
        return cls(decode_scalars(state.scalars))
