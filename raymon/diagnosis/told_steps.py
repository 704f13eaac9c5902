"""The steps of which alerts have told already, before they are made again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from raymon.results import Alert, Key

_MOST = 1000


@dataclass
class _Span:
    attempt: int
    first: int
    last: int | None = None


class ToldSteps:
    """The steps in which findings were on, of the newest 1,000 alerts of findings of steps."""

    def __init__(self) -> None:
        self._spans: dict[Key, list[_Span]] = {}
        self._count = 0

    def add(self, alerts: Iterable[Alert]) -> None:
        """Adds alerts, in the order in which they came."""
        for alert in alerts:
            if alert.finding.of_steps:
                self._add(alert)

    def has(self, key: Key, attempt: int, step: int) -> bool:
        """Returns whether an alert of an earlier attempt has told of a finding at a step."""
        return any(
            span.attempt < attempt
            and span.first <= step
            and (span.last is None or step < span.last)
            for span in self._spans.get(key, ())
        )

    def _add(self, alert: Alert) -> None:
        key = alert.finding.key
        spans = self._spans.setdefault(key, [])
        if not alert.is_over:
            spans.append(_Span(alert.attempt, alert.step))
            self._count += 1
        elif spans:
            spans[-1].last = alert.step
        if self._count > _MOST:
            oldest = next(iter(self._spans))
            self._count -= len(self._spans.pop(oldest))
