"""The sink that gives alerts to something of the user's, and nothing else."""

from __future__ import annotations

from typing import Any

from raymon.results import Alert, Evaluation, Snapshot
from raymon.storage import to_json


class AlertHook:
    """A sink that delivers alerts as JSON objects.

    Args:
        run: Directory or URI that the run writes to.
        timeout_s: Seconds that a delivery may take.
    """

    def __init__(self, run: str, timeout_s: float) -> None:
        self._run = run
        self._timeout_s = timeout_s

    def deliver(self, data: bytes) -> None:
        """Delivers the JSON of one alert.

        Raises:
            OSError: It is not delivered.
        """
        raise NotImplementedError

    def write(self, snapshot: Snapshot) -> None:
        """Does nothing, since only alerts are delivered."""

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Does nothing, since only alerts are delivered."""

    def write_alert(self, alert: Alert) -> None:
        """Delivers an alert: the line of `monitor/alerts.jsonl`, and `run`."""
        record: dict[str, Any] = {"run": self._run, **alert.to_json()}
        self.deliver((to_json(record) + "\n").encode())

    def roll_back(self, step: int, evaluation_step: int) -> None:
        """Does nothing: what was delivered stays."""

    def flush(self) -> None:
        """Does nothing, since nothing is gathered."""

    def close(self) -> None:
        """Does nothing, since nothing is open."""
