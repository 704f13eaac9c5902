"""Lets all ranks act at the same step on what each of them hears at another one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass

import torch

from raymon.training.rank.worker_context import WorkerContext
from raymon.wire import PROFILE, Ack, RankRequest

ROUND_S = 1.0
"""Seconds that the steps of a round should take."""

_MOST_STEPS = 100_000


@dataclass(frozen=True)
class Agreed:
    """What all ranks do after the same step.

    Attributes:
        saves: Whether the state is saved, because a node is taken away.
        request: What people asked for; None if it is nothing new.
    """

    saves: bool
    request: RankRequest | None = None


class Inbox:
    """What the reporter asks of this rank; written by threads that send, read by the loop.

    Args:
        prepare: Does what has to be done before a trace, on a thread of its own: the request counts
            as heard after that. None if there is nothing to do.

    Attributes:
        newest: The newest request; None before the first.
    """

    def __init__(self, prepare: Callable[[RankRequest], None] | None = None) -> None:
        self._prepare = prepare
        self._taken = 0
        self._lock = threading.Lock()
        self.newest: RankRequest | None = None

    def take(self, ack: Ack) -> None:
        """Takes what an answer of the reporter asks for."""
        request = ack.request
        with self._lock:
            if request is None or request.number <= self._taken:
                return
            self._taken = request.number
        if request.kind == PROFILE and self._prepare is not None:
            name = "raymon-prepare-trace"
            threading.Thread(target=self._put, args=(request,), name=name, daemon=True).start()
        else:
            self._set(request)

    def _put(self, request: RankRequest) -> None:
        # What cannot be prepared is found at the begin of the trace, and answered.
        with suppress(Exception):
            if self._prepare is not None:
                self._prepare(request)
        self._set(request)

    def _set(self, request: RankRequest) -> None:
        with self._lock:
            if self.newest is None or request.number > self.newest.number:
                self.newest = request


class Agreement:
    """Agrees with the other ranks on notices of preemption and on requests of people.

    About every other round the controller is asked, in the background, whether a node will be taken
    away. Ranks hear of that, and of requests, at different steps. So they exchange in each round,
    also in the background, what they have heard, and act one round after all have heard it.

    Args:
        context: World of this rank.
        ask: Function that asks in the background whether a node will be taken away. All ranks ask
            in the same order and get the same answer, a text, or None.
        inbox: Requests that this rank hears of.
        round_s: Seconds that the steps of a round should take; None for `ROUND_S`. All ranks make
            the same number of steps in a round.

    Attributes:
        notice: The newest answer that was a text; None if there was none.
    """

    def __init__(
        self,
        context: WorkerContext,
        ask: Callable[[], Future[str | None]],
        inbox: Inbox,
        round_s: float | None = None,
    ) -> None:
        self._context = context
        self._ask = ask
        self._inbox = inbox
        self._round_s = ROUND_S if round_s is None else round_s
        self._question: Future[str | None] | None = None
        self._exchanged: Callable[[], torch.Tensor] | None = None
        # Notices that this rank has heard, and that all ranks have acted on.
        self._heard = self._acted = 0
        # Requests that this rank has heard, and the number of the last one that all have heard.
        self._requests: dict[int, RankRequest] = {}
        self._newest = self._agreed = 0
        # Steps of a round, and steps of this round so far.
        self._round, self._steps = 1, 0
        self._began = time.monotonic()
        self.notice: str | None = None

    def step(self) -> Agreed | None:
        """Counts a step; returns what all ranks do after it, None if it is nothing."""
        self._steps += 1
        if self._steps < self._round:
            return None
        seconds = (time.monotonic() - self._began) / self._steps
        agreed, all_answered = None, True
        if self._exchanged is not None:
            least = self._exchanged().tolist()
            agreed, all_answered = self._act(int(least[0]), int(least[1])), least[2] == 0
            slowest_s = max(-least[3], 1e-9)
            self._round = min(max(1, round(self._round_s / slowest_s)), _MOST_STEPS)
        self._hear()
        if all_answered:
            self._question = self._ask()
        own = (self._heard, self._newest, -int(self._question is not None), -seconds)
        # A double has each number of a request exactly.
        self._exchanged = self._context.begin_min(torch.tensor(own, dtype=torch.float64))
        self._steps, self._began = 0, time.monotonic()
        return agreed

    def _act(self, heard: int, newest: int) -> Agreed | None:
        """Returns what to do if every rank has heard this many notices and this request."""
        saves, request = heard > self._acted, None
        self._acted += saves
        if newest > self._agreed:
            self._agreed = newest
            # A rank may have missed one that another has replaced; no rank misses the last.
            request = self._requests.get(newest)
            self._requests = {n: r for n, r in self._requests.items() if n > newest}
        return Agreed(saves, request) if saves or request is not None else None

    def _hear(self) -> None:
        request = self._inbox.newest
        if request is not None and request.number > self._newest:
            self._newest = request.number
            self._requests[request.number] = request
        if self._question is None or not self._question.done():
            return
        answer, self._question = self._question.result(), None
        if answer is not None and answer != self.notice:
            self._heard += 1
            self.notice = answer
