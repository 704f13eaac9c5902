"""Answers what people ask of a run, on threads of its driver."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from types import TracebackType
from typing import Any

from raymon.errors import reason
from raymon.storage import StoragePath
from raymon.training.on_demand.mailbox import Mailbox
from raymon.training.on_demand.merge_traces import merge_traces
from raymon.training.on_demand.rank_desk import RankDesk, RankLink
from raymon.training.on_demand.request import (
    ACCEPTED,
    DONE,
    FAILED,
    REFUSED,
    STACK,
    STATUS,
    Answer,
    Request,
)
from raymon.wire import PROFILE, STOP, Profiling, RankAnswer

_log = logging.getLogger("raymon")

_LOOK_S = 0.5

_JOIN_S = 1.0

Stacks = Callable[[Sequence[int]], Mapping[str, str]]
"""Returns the Python stacks of ranks, as text by rank; which ones, it says if none are given."""


class Desk:
    """Answers the requests to a run while it goes on.

    Args:
        model_dir: Directory of the run.
        mailboxes: Where requests arrive.
        reporter: Reporter of the run.
        attempt: Function that returns the number of the attempt that is going on.
        status: Function that returns the status of the run, as JSON values.
        stacks: Function that takes the stacks of ranks.

    Attributes:
        end: How the run ended, for those who asked it to stop; set before the desk is left.
    """

    def __init__(
        self,
        model_dir: StoragePath,
        mailboxes: Sequence[Mailbox],
        reporter: RankLink,
        attempt: Callable[[], int],
        status: Callable[[], Mapping[str, Any]],
        stacks: Stacks,
    ) -> None:
        self._model_dir = model_dir
        self._mailboxes = mailboxes
        self._ranks = RankDesk(reporter, attempt)
        self._status = status
        self._stacks = stacks
        self._known: set[str] = set()
        self._stops: list[Callable[[Answer], None]] = []
        self._linger_s = 0.0
        # Traces are merged, and stacks taken, while other requests are answered.
        self._workers = ThreadPoolExecutor(2, thread_name_prefix="raymon-desk-work")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="raymon-desk", daemon=True)
        self._process = os.getpid()
        self.end = Answer(FAILED, "the run failed before it could stop")

    def __enter__(self) -> Desk:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if os.getpid() != self._process:
            # The copy in a forked process answers nobody.
            return
        self._over.set()
        # It may wait for a reporter on a cluster that is gone.
        self._thread.join(_JOIN_S)
        self._ranks.close("the run ended first")
        self._workers.shutdown(wait=error is None)
        for answer in self._stops:
            answer(self.end)
        time.sleep(self._linger_s)

    def was_stopped(self, is_whole: bool | None) -> bool:
        """Returns whether a run that ended well did so because it was asked to stop.

        Args:
            is_whole: Whether all steps were made; None if this is unknown.
        """
        if not self._ranks.stop_asked or is_whole:
            return False
        with _quiet():
            self._ranks.look()
        return self._ranks.stopped or is_whole is False

    def _work(self) -> None:
        while not self._over.wait(_LOOK_S):
            for mailbox in self._mailboxes:
                with _quiet():
                    for request, body in mailbox.posted().items():
                        if request not in self._known:
                            self._known.add(request)
                            self._take(mailbox, request, body)
            with _quiet():
                self._ranks.look()

    def _take(self, mailbox: Mailbox, id: str, body: bytes) -> None:
        def answer(given: Answer) -> None:
            if given.is_last and self._over.is_set():
                self._linger_s = max(self._linger_s, mailbox.linger_s)
            with _quiet():
                mailbox.reply(id, given.to_bytes())

        try:
            self._begin(Request.from_bytes(id, body), answer)
        except (ValueError, TypeError) as error:
            answer(Answer(REFUSED, str(error)))
        except Exception as error:  # whatever a request leads to, the run goes on
            answer(Answer(FAILED, str(error) or reason(error)))

    def _begin(self, request: Request, answer: Callable[[Answer], None]) -> None:
        options = request.options
        if request.kind == STATUS:
            answer(Answer(DONE, result=self._status()))
        elif request.kind == STACK:
            ranks = _ranks(options)
            answer(Answer(ACCEPTED))
            self._workers.submit(self._take_stacks, ranks, answer)
        elif request.kind == PROFILE:
            profiling = Profiling(
                int(options["steps"]),
                _ranks(options),
                *(bool(options.get(name)) for name in ("shapes", "stacks", "memory")),
            )
            traced = self._ranks.trace(profiling, partial(self._traced, answer))
            answer(Answer(ACCEPTED))
            _log.info("Asked to trace %d steps of %s", profiling.steps, _names(traced))
        elif request.kind == STOP:
            self._stops.append(answer)
            if not self._ranks.stop_asked:
                _log.info("Asked to stop: all ranks save at the same step, and end")
            self._ranks.stop()
            answer(Answer(ACCEPTED))

    def _take_stacks(self, ranks: Sequence[int], answer: Callable[[Answer], None]) -> None:
        try:
            answer(Answer(DONE, result=dict(self._stacks(ranks))))
        except ValueError as error:
            answer(Answer(REFUSED, str(error)))
        except Exception as error:
            answer(Answer(FAILED, str(error) or reason(error)))

    def _traced(
        self, answer: Callable[[Answer], None], answers: list[RankAnswer], why: str | None
    ) -> None:
        if not any(each.failure is None for each in answers):
            whys = sorted({each.failure for each in answers if each.failure})
            answer(Answer(FAILED, f"no steps were traced: {why or '; '.join(whys)}"))
        else:
            self._workers.submit(self._merge, answer, answers, why)

    def _merge(
        self, answer: Callable[[Answer], None], answers: list[RankAnswer], why: str | None
    ) -> None:
        try:
            path = merge_traces(self._model_dir, [a for a in answers if a.failure is None])
        except Exception as error:
            answer(Answer(FAILED, f"the traces cannot be merged: {reason(error)}"))
            return
        failed = [f"rank {a.rank}: {a.failure}" for a in answers if a.failure is not None]
        failed += [why] if why else []
        whole = next(a for a in answers if a.failure is None)
        text = f"steps {whole.step} to {whole.end_step} are in {path}"
        result = {"path": str(path), "failures": failed}
        _log.info("Traced: %s", text)
        answer(Answer(DONE, text, result))


@contextmanager
def _quiet() -> Iterator[None]:
    """Logs for developers alone what fails, which is tried again later."""
    try:
        yield
    except Exception as error:
        _log.debug("requests: %s", reason(error))


def _ranks(options: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(int(rank) for rank in options.get("ranks") or ())


def _names(ranks: Sequence[int]) -> str:
    return f"rank {ranks[0]}" if len(ranks) == 1 else f"ranks {', '.join(map(str, ranks))}"
