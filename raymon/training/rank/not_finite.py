"""The failure of a run that is to stop when its numbers are not finite."""

from __future__ import annotations

from raymon.training.rank.failure import RankFailedError


class NotFiniteError(RankFailedError):
    """A loss or a gradient that is not finite, where the run is to stop then."""
