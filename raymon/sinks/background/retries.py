"""Repeated tries of actions on a sink that may fail."""

from __future__ import annotations

from raymon.retries import retrying
from raymon.sinks.background.actions import Action, Close, RollBack
from raymon.sinks.background.hang_watch import HangWatch
from raymon.sinks.background.notices import Notices
from raymon.sinks.sink import Sink

_LONGEST_ERROR = 300


class Retries:
    """Tries an action that failed again, then gives it up and adds a notice.

    A roll-back that failed is tried again before each later write, and if it fails again, so does
    the write: otherwise, what is written after a step that was not rolled back would show twice.

    Args:
        sink: Sink that may raise.
        tries: Largest number of times that an action is tried.
        pause_s: Seconds between the first two tries; they double.
        watch: Watch for actions that do not return.
        notices: Notices that are added to.

    Attributes:
        ends: Event that is set when no more actions come than already wait. Once one of these is
            given up, those after it are tried once each, so that a disk that stays full does not
            hold up the end.
        failures: Number of actions that were given up.
        reasons: Number of `failures` by reason.
    """

    def __init__(
        self, sink: Sink, tries: int, pause_s: float, watch: HangWatch, notices: Notices
    ) -> None:
        self._sink = sink
        self._tries = tries
        self._pause_s = pause_s
        self._watch = watch
        self._notices = notices
        self._owed: RollBack | None = None
        self.ends = False
        self._hopeless = False
        self.failures = 0
        self.reasons: dict[str, int] = {}

    def do(self, action: Action) -> bool:
        """Does an action.

        Returns:
            False if it was given up.
        """
        if isinstance(action, RollBack):
            self._owed = action if self._owed is None else self._owed.and_then(action)
        pauses_s = [self._pause_s * 2**number for number in range(self._tries - 1)]
        if self._hopeless:
            pauses_s = []
        try:
            retrying(pauses_s, lambda error: True)(self._try, action)
        except BaseException as error:  # a sink that exits must not end the thread silently
            self._give_up(error, len(pauses_s) + 1)
            self._hopeless = self.ends
            return False
        return True

    def _try(self, action: Action) -> None:
        if self._owed is not None and not isinstance(action, Close):
            self._watched(self._owed)
            self._owed = None
        if not isinstance(action, RollBack):
            self._watched(action)

    def _watched(self, action: Action) -> None:
        self._watch.begin(action.what)
        try:
            action.run(self._sink)
        finally:
            self._watch.end()

    def _give_up(self, error: BaseException, tried: int) -> None:
        self.failures += 1
        # Some servers answer an error with a whole page.
        text = " ".join(str(error).split())[:_LONGEST_ERROR]
        times = "1 try" if tried == 1 else f"{tried} tries"
        kind = type(error).__name__
        self.reasons = {**self.reasons, kind: self.reasons.get(kind, 0) + 1}
        self._notices.add_once(kind, f"{kind}: {text} (given up after {times})")
