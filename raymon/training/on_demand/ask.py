"""Asks a run, through files in its directory."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from raymon.errors import AnswerError, RunError, os_reason
from raymon.run_dir import Lease, read_lease
from raymon.storage import StoragePath, write_whole
from raymon.training.on_demand.mailbox import (
    LOOK_AT_OBJECTS_S,
    LOOK_S,
    answer_path,
    request_path,
)
from raymon.training.on_demand.request import REFUSED, Answer, Request

_PATIENCE_S = 10.0
"""Seconds that a run has for its first answer, apart from the time until it looks."""

_ALIVE_S = 30.0
"""Seconds without a sign of life after which a run is over."""

Accepted = Callable[[], None]
"""Called once the run has said that it will do what it was asked."""


def ask(model_dir: StoragePath, request: Request, accepted: Accepted) -> Answer:
    """Asks a run, and waits for the last answer.

    Args:
        model_dir: Directory of the run.
        request: What is asked.
        accepted: Called when the run begins to do it.

    Raises:
        RunError: The request is wrong.
        AnswerError: The run is over, does not answer, or cannot do it.
    """
    lease = read_lease(model_dir)
    if lease is None or lease.is_over:
        raise AnswerError(_over(model_dir, lease))
    try:
        return checked(_wait(model_dir, request, lease, accepted))
    finally:
        for path in (request_path(model_dir, request.id), answer_path(model_dir, request.id)):
            with suppress(OSError):
                path.unlink()


def checked(answer: Answer) -> Answer:
    """Returns a last answer.

    Raises:
        RunError: The request is wrong.
        AnswerError: The run cannot do it.
    """
    if answer.state == REFUSED:
        raise RunError(answer.text)
    if answer.state != "done":
        raise AnswerError(answer.text)
    return answer


def _wait(model_dir: StoragePath, request: Request, lease: Lease, accepted: Accepted) -> Answer:
    every_s = 0.1 if isinstance(model_dir, Path) else 1.0
    look_s = LOOK_S if isinstance(model_dir, Path) else LOOK_AT_OBJECTS_S
    deadline = time.monotonic() + look_s + _PATIENCE_S
    life = _Life(model_dir, lease)
    is_accepted = False
    while True:
        over = life.over()
        answer = _read(model_dir, request)
        if answer is None:
            _post(model_dir, request)
        if answer is not None and answer.is_last:
            return answer
        if over is not None:
            raise AnswerError(over)
        if answer is not None and not is_accepted:
            is_accepted = True
            accepted()
        if not is_accepted and time.monotonic() > deadline:
            raise AnswerError(
                f"{model_dir}: no answer in {look_s + _PATIENCE_S:.0f} s from {lease}: it is "
                "starting, stopped, or stuck, or it does not see this directory"
            )
        time.sleep(every_s)


def _post(model_dir: StoragePath, request: Request) -> None:
    path = request_path(model_dir, request.id)
    try:
        # A run that begins removes what was asked of earlier ones, and this if it is quick.
        if not path.exists():
            write_whole(path, request.to_bytes())
    except FileNotFoundError:
        return
    except OSError as error:
        raise AnswerError(f"{path}: cannot be written: {os_reason(error)}") from None


def _read(model_dir: StoragePath, request: Request) -> Answer | None:
    try:
        return Answer.from_bytes(answer_path(model_dir, request.id).read_bytes())
    except (OSError, ValueError):
        return None


class _Life:
    """Looks for signs of life of a run, every second.

    Args:
        model_dir: Directory of the run.
        lease: Its lease, as it was.
    """

    def __init__(self, model_dir: StoragePath, lease: Lease) -> None:
        self._model_dir = model_dir
        self._lease = lease
        self._heard_at = self._looked_at = time.monotonic()

    def over(self) -> str | None:
        """Returns how it is known that the run is over; None if it is not."""
        now = time.monotonic()
        if now - self._looked_at < 1.0:
            return None
        self._looked_at = now
        try:
            found = read_lease(self._model_dir)
        except RunError:
            return None
        if found is None or found.run != self._lease.run or found.is_over:
            return _over(self._model_dir, found)
        if found.beat != self._lease.beat:
            self._lease, self._heard_at = found, now
        if now - self._heard_at > _ALIVE_S:
            return f"{self._model_dir}: no sign of life of {found} for {_ALIVE_S:.0f} s"
        return None


def _over(model_dir: StoragePath, lease: Lease | None) -> str:
    if lease is not None and lease.is_over:
        return f"{model_dir}: the run is over: {lease} does not exist any more"
    return f"{model_dir}: the run is over: no process writes to it"
