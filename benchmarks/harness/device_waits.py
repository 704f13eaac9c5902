"""The lines of the training thread at which it waits for a GPU."""

from __future__ import annotations

import threading
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import torch

_ROOT = Path(__file__).parents[2]
_WAITS = "called a synchronizing CUDA operation"


@contextmanager
def waits_of_this_thread() -> Iterator[Counter[str]]:
    """Counts the synchronisations of this thread in the context, and of torch's own in a backward.

    Those of other threads of Python, which are there to wait, are not counted. CUDA tells of what
    torch calls; it is silent about events, which `torch.cuda.Event.synchronize` waits for.

    Yields:
        How often each line waited, by `file:line`; of the call in the code of this repository, if
        there is one.
    """
    found: Counter[str] = Counter()
    here = threading.current_thread()

    def note(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if _WAITS not in str(message):
            return
        thread = threading.current_thread()
        # A backward runs on a thread that Python does not know.
        if thread is here or isinstance(thread, threading._DummyThread):
            found[_place(filename, lineno)] += 1

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = note
        before = torch.cuda.get_sync_debug_mode()
        torch.cuda.set_sync_debug_mode("warn")
        try:
            yield found
        finally:
            torch.cuda.set_sync_debug_mode(before)


def _place(filename: str, line: int) -> str:
    ours = [
        frame
        for frame in traceback.extract_stack()
        if frame.filename.startswith(str(_ROOT)) and frame.filename != __file__
    ]
    if ours and not filename.startswith(str(_ROOT)):
        filename, line = ours[-1].filename, ours[-1].lineno or 0
    return f"{filename.removeprefix(f'{_ROOT}/')}:{line}"
