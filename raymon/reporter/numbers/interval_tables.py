"""The lookups in embedding tables in some steps alone, without a past."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from raymon.embeddings import table_health
from raymon.protos.report_pb2 import LogIntervalState
from raymon.reporter.numbers.touched_rows import TouchedRows
from raymon.reporter.windows.window_sum import WindowSum
from raymon.results import TableHealth
from raymon.wire import TableSketches


@dataclass
class IntervalTables:
    """The lookups of windows that follow each other.

    Attributes:
        sketches: The lookups; None if they are not counted.
        begun: Whether there was a window.
        known: False if the tables changed within these steps, or were counted in some of them only,
            so that there are no figures for all of the steps.
    """

    sketches: TableSketches | None = None
    begun: bool = False
    known: bool = True

    def add(self, window: WindowSum) -> None:
        """Adds the window that follows."""
        new, so_far = window.table_sketches, self.sketches
        if not self.begun:
            self.begun = True
            self.sketches = None if new is None else new.copy()
        elif new is not None and so_far is not None and new.layout.data == so_far.layout.data:
            so_far.add_steps(new)
        elif new is not None or so_far is not None:
            self.known = False

    def health(self, touched_rows: TouchedRows) -> Mapping[str, TableHealth]:
        """Returns the health of each table in these steps, by name.

        Args:
            touched_rows: Rows that were looked up until the end of these steps.
        """
        if self.sketches is None or not self.known:
            return {}
        return table_health(self.sketches, touched_rows.of(self.sketches.layout))

    def save(self, state: LogIntervalState) -> None:
        """Writes what `restore` reads into a state."""
        if self.sketches is not None and self.known:
            state.tables.CopyFrom(self.sketches.to_message())

    @classmethod
    def restore(cls, state: LogIntervalState) -> IntervalTables:
        """Returns the lookups that `save` wrote."""
        has_tables = state.HasField("tables")
        return cls(TableSketches.from_message(state.tables) if has_tables else None, begun=True)
