"""The alerts of `monitor/alerts.jsonl`, parsed."""

from __future__ import annotations

from contextlib import suppress

from raymon.results import Alert
from raymon.runs.reading.line_numbers import parsed_line
from raymon.runs.reading.piece import Piece


class AlertBuilder:
    """The alerts so far; lines that are none are left out."""

    def __init__(self) -> None:
        # None for a line that holds none.
        self._alerts: list[Alert | None] = []

    def take(self, piece: Piece) -> None:
        """Takes back the lines that are gone, and adds those that follow."""
        del self._alerts[piece.kept :]
        self._alerts += [_alert(line) for line in piece.data.split(b"\n")[:-1]]

    def value(self) -> tuple[Alert, ...]:
        """Returns the alerts, in order."""
        return tuple(alert for alert in self._alerts if alert is not None)


def _alert(line: bytes) -> Alert | None:
    record = parsed_line(line)
    if record is not None:
        with suppress(KeyError, TypeError, ValueError, OverflowError):
            alert = Alert.from_json(record)
            hash(alert.finding.key)  # Alerts are known by it.
            return alert
    return None
