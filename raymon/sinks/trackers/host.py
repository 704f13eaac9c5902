"""The process that a tracker's library runs in: does what its parent asks, and ends with it."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time
from typing import Any, BinaryIO

from raymon.sinks.trackers.client import LENGTH, TrackerClient, redacted

_LOOK_S = 0.5
"""Seconds between two looks whether the parent is there."""

_LAST_WORDS_S = 5.0
"""Seconds that the process has left once the parent is not there any more."""

_LONGEST = 300


def main() -> None:
    """Does calls from standard input, until it ends; whatever a library prints goes nowhere."""
    calls, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    serve(calls, answers)
    # What libraries do at the exit of a process may take minutes, and all that counts is written.
    os._exit(0)


def serve(calls: BinaryIO, answers: BinaryIO) -> None:
    """Does the calls of one stream and answers on another, until there are no more.

    The first object is the client; each that follows a method and its arguments. An answer is what
    the method returned, or what it raised, and the notices.
    """
    client: TrackerClient = pickle.load(calls)
    while True:
        try:
            method, arguments = pickle.load(calls)
        except EOFError:
            # Of a parent that was killed: what it has given is written, but the run is not over.
            client.abandon()
            return
        answer = pickle.dumps(_answer(client, method, arguments))
        answers.write(LENGTH.pack(len(answer)) + answer)
        answers.flush()


def _answer(
    client: TrackerClient, method: str, arguments: tuple[Any, ...]
) -> tuple[Any, BaseException | None, list[str]]:
    value, error = None, None
    try:
        value = getattr(client, method)(*arguments)
    except BaseException as raised:  # a library may raise anything, SystemExit too
        error = plain(raised)
    notes, client.notes = [redacted(note) for note in client.notes], []
    return value, error, notes


def plain(error: BaseException) -> BaseException:
    """Returns an error that can be pickled, in one line and without secrets."""
    text = redacted(" ".join(str(error).split()))[:_LONGEST]
    if isinstance(error, PermissionError):
        return PermissionError(text)
    if isinstance(error, TimeoutError):
        return TimeoutError(text)
    if isinstance(error, ConnectionError):
        return ConnectionError(text)
    return OSError(f"{type(error).__name__}: {text}" if text else type(error).__name__)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    time.sleep(_LAST_WORDS_S)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
