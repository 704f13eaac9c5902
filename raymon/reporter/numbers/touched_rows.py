"""The rows of embedding tables that were looked up since a run began."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from raymon.protos.report_pb2 import TableSketches as TableSketchesMessage
from raymon.reporter.windows.window_sum import WindowSum
from raymon.wire import TableLayout, TableSketches


class TouchedRows:
    """Bits of the rows that were looked up, merged over all windows of a run.

    Args:
        is_complete: Whether the run begins here, so that nothing was looked up before.
    """

    def __init__(self, is_complete: bool) -> None:
        self._is_complete = is_complete
        self._layout = TableLayout(())
        self._touched = np.zeros(0, np.uint8)

    def add(self, window: WindowSum) -> None:
        """Adds a window, in order."""
        sketches = window.table_sketches
        if sketches is None:
            self._is_complete = self._is_complete and not window.lacks_tables
            return
        self._is_complete = self._is_complete and not sketches.incomplete
        if sketches.layout.data != self._layout.data:
            self._move_to(sketches.layout)
        self._touched = self._touched | sketches.touched

    def of(self, layout: TableLayout) -> NDArray[np.uint8] | None:
        """Returns the bits at the places of a layout; None if not all lookups are known."""
        return self._touched if self._is_complete and layout.data == self._layout.data else None

    def copy(self) -> TouchedRows:
        """Returns a copy, to which incomplete windows can be added."""
        twin = TouchedRows(self._is_complete)
        # Replaced, never added to in place.
        twin._layout, twin._touched = self._layout, self._touched
        return twin

    def to_message(self) -> TableSketchesMessage:
        """Returns the message that `from_message` reads."""
        sketches = TableSketches.empty(self._layout)
        sketches.touched, sketches.incomplete = self._touched, not self._is_complete
        return sketches.to_message()

    @classmethod
    def from_message(cls, message: TableSketchesMessage) -> TouchedRows:
        """Returns the rows of a message."""
        sketches = TableSketches.from_message(message)
        touched = cls(is_complete=not sketches.incomplete)
        touched._layout, touched._touched = sketches.layout, sketches.touched
        return touched

    def _move_to(self, layout: TableLayout) -> None:
        """Goes on with other tables; one that is new, or has another size, begins anew."""
        known = dict(zip(self._layout.tables, self._layout.touched, strict=True))
        moved = TableSketches.empty(layout).touched
        for table, place in zip(layout.tables, layout.touched, strict=True):
            if table in known:
                moved[place] = self._touched[known[table]]
        self._layout, self._touched = layout, moved
