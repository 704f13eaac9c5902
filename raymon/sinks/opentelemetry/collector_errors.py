"""What can be wrong with a collector, one type for each kind, of which each is told once."""

from __future__ import annotations


class CollectorError(ConnectionError):
    """A collector did not take something, which is sent again later."""


class TokenRefusedError(CollectorError):
    """A collector refuses who sends."""


class SilentCollectorError(CollectorError):
    """A collector did not answer in time."""


class NotTakenError(CollectorError):
    """A collector will never take what was sent, so that it is dropped."""
