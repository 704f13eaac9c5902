"""Shows on the driver what the reporter publishes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Protocol

from raymon.errors import ClusterLostError, reason
from raymon.reporter.attempts import Attempts
from raymon.reporter.publishing.publications import Cursor
from raymon.results import (
    Alert,
    AttemptBegan,
    AttemptFailed,
    Evaluation,
    Key,
    Published,
    Snapshot,
    Stall,
)
from raymon.sinks import BackgroundSink, Console

_log = logging.getLogger("raymon")

_POLL_S = 0.25

_EVENTS = (AttemptBegan, AttemptFailed, Evaluation, Alert)
"""What is published seldom, and is news to whoever looks."""


Listener = Callable[[Published], None]
"""Called with what is published."""


class NewsSource(Protocol):
    """A reporter that publishes."""

    def published(self, since: Cursor | None) -> tuple[list[Published], Cursor]:
        """Returns what was published after a cursor, and the next cursor."""


class Progress:
    """A thread that polls a reporter, shows what it publishes, and remembers the last numbers.

    Args:
        reporter: The reporter, which is polled every 0.25 seconds.
        console: The console that shows what was published.
        hooks: Sinks that get alerts alone. They are in this process and not in that of the
            reporter, which may be on any node and is restarted in the midst of them.
        attempts: Attempts of the run, in which those that are published are noted.
        listener: Called with all that is published, each once.

    Attributes:
        last: The newest snapshot; None before the first.
        last_at: Monotonic time at which it came, in seconds.
        attempt: The attempt that is going on; None before the first.
        stalled_s: Seconds for which no rank has made a step, if that is unusually long; else 0.
        evaluations: The evaluations so far, without those that were rolled back.
        failure: The failure of the attempt that began last, if it is known; else None.
        diverged_since: The step from which on no window had a finite loss; None if the last one
            had.
        attempts: Attempts of the run.
        events: How many attempts, failures, evaluations and alerts were published.
    """

    def __init__(
        self,
        reporter: NewsSource,
        console: Console,
        hooks: Sequence[BackgroundSink] = (),
        attempts: Attempts | None = None,
        listener: Listener | None = None,
    ) -> None:
        self._reporter = reporter
        self._listener = listener
        self._console = console
        self._hooks = list(hooks)
        self._alerts_on: set[Key] = set()
        self._alerts_seen: set[tuple[Key, bool, float]] = set()
        self._cursor: Cursor | None = None
        self._shown_step = 0
        self._answers = self._shows = True
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="raymon-progress", daemon=True)
        self.last: Snapshot | None = None
        self.last_at = 0.0
        self.attempt: AttemptBegan | None = None
        self.stalled_s = 0.0
        self.evaluations: list[Evaluation] = []
        self.failure: AttemptFailed | None = None
        self.diverged_since: int | None = None
        self.attempts = attempts or Attempts()
        self.events = 0

    @property
    def hook_failures(self) -> dict[str, int]:
        """Number of alerts that could not be given to a hook, by reason."""
        return {why: n for hook in self._hooks for why, n in hook.failure_reasons.items()}

    def __enter__(self) -> Progress:
        self._console.__enter__()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        # A reporter on a cluster that is gone does not answer any more.
        if not isinstance(error, ClusterLostError):
            self._thread.join()
            self._poll()
        for hook in self._hooks:
            hook.begin_close()
        for hook in self._hooks:
            hook.close()
        self._show_hooks()
        self._console.__exit__(kind, error, traceback)

    def _follow(self) -> None:
        while not self._stop.wait(_POLL_S):
            self._poll()

    def _poll(self) -> None:
        try:
            news, self._cursor = self._reporter.published(self._cursor)
        except Exception as error:  # without an answer only the news is missing
            # A reporter that is starting does not answer yet; the workers wait for it.
            if self._answers and self._cursor is not None:
                name = type(error).__name__
                _log.warning("The reporter does not answer (%s); training goes on", name)
                self._answers = False
            return
        if not self._answers:
            _log.info("The reporter answers again")
        self._answers = True
        self.stalled_s = next((each.seconds for each in news if isinstance(each, Stall)), 0.0)
        for published in news:
            if self._take(published):
                self.events += isinstance(published, _EVENTS)
                self._show(published)
                self._pass_on(published)
                if isinstance(published, Alert):
                    for hook in self._hooks:
                        hook.write_alert(published)
        self._show_hooks()

    def _show(self, published: Published) -> None:
        try:
            self._console.show(published)
        except Exception as error:  # what cannot be shown is still remembered
            if self._shows:
                self._shows = False
                _log.warning("monitoring: what is published is not shown: %s", reason(error))

    def _pass_on(self, published: Published) -> None:
        if self._listener is None:
            return
        try:
            self._listener(published)
        except Exception as error:  # whoever listens does not end the run
            _log.warning("monitoring: a listener failed: %s", reason(error))

    def _show_hooks(self) -> None:
        for hook in self._hooks:
            for text in hook.take_notices():
                _log.warning("monitoring: %s", text)

    def _take(self, published: Published) -> bool:
        """Remembers what was published; returns false if it was shown before.

        A reporter that was restarted publishes again what it has of the run.
        """
        if isinstance(published, AttemptFailed):
            if self.failure == published:
                return False
            self.failure = published
            self.attempts.fail(published)
        elif isinstance(published, AttemptBegan):
            if self.attempt == published:
                return False
            self.failure = None
            self.attempt = published
            self.attempts.begin(published)
            self._shown_step = min(self._shown_step, published.step)
            if self.diverged_since is not None and published.step <= self.diverged_since:
                self.diverged_since = None
            self.evaluations = [e for e in self.evaluations if e.step <= published.step]
        elif isinstance(published, Evaluation):
            if published.bare() in map(Evaluation.bare, self.evaluations):
                return False
            self.evaluations.append(published)
        elif isinstance(published, Snapshot):
            if published.end_step <= self._shown_step:
                return False
            self.last, self.last_at = published, time.monotonic()
            self.attempts.reach(published.end_step)
            if published.coverage.ranks == published.coverage.world_size:
                self._shown_step = published.end_step
            self._see_losses(published)
        elif isinstance(published, Alert):
            return self._is_news(published)
        return True

    def _is_news(self, alert: Alert) -> bool:
        # A reporter that died may have told what its successor tells again.
        key, is_over = alert.finding.key, alert.is_over
        seen = (key, is_over, alert.time) in self._alerts_seen
        self._alerts_seen.add((key, is_over, alert.time))
        if seen or (not is_over and key in self._alerts_on):
            return False
        (self._alerts_on.discard if is_over else self._alerts_on.add)(key)
        return True

    def _see_losses(self, snapshot: Snapshot) -> None:
        if not snapshot.diverged:
            self.diverged_since = None
        elif self.diverged_since is None:
            self.diverged_since = snapshot.first_step
