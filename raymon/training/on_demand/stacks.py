"""The Python stacks of a run in this process."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Mapping, Sequence


def stacks_here(ranks: Sequence[int]) -> Mapping[str, str]:
    """Returns the stacks of all threads of this process, which is rank 0 alone.

    Args:
        ranks: Ranks that are asked for; empty for all.

    Raises:
        ValueError: The run has no such rank.
    """
    beyond = [rank for rank in ranks if rank != 0]
    if beyond:
        raise ValueError(f"--rank {beyond[0]}: the run has rank 0 alone")
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    parts = []
    # Its main thread first: it trains.
    main = threading.main_thread().ident
    for ident, frame in sorted(sys._current_frames().items(), key=lambda item: item[0] != main):
        lines = "".join(traceback.format_stack(frame)).rstrip()
        parts.append(f'Thread {ident} "{names.get(ident, "")}":\n{lines}')
    return {"0": "\n\n".join(parts)}
