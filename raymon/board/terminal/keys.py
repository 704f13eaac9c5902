"""The keys of the view: from bytes to names, and from names to what is looked at."""

from __future__ import annotations

import re
from dataclasses import replace

from raymon.board.terminal.frame import Frame
from raymon.board.terminal.pages import CURVES, OVERVIEW, PAGES, View, most_left_out

_SEQUENCE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|O[@-~])|[\x00-\x7f]")

_NAMES = {
    b"\t": "next",
    b"\x1b[C": "next",
    b"\x1bOC": "next",
    b"\x1b[Z": "before",
    b"\x1b[D": "before",
    b"\x1bOD": "before",
    b"\x1b[B": "down",
    b"\x1bOB": "down",
    b"\x1b[A": "up",
    b"\x1bOA": "up",
    b"\x1b[6~": "page down",
    b"\x1b[5~": "page up",
    b" ": "page down",
    b"\x1b[H": "home",
    b"\x1bOH": "home",
    b"\x1b[1~": "home",
    b"q": "end",
    b"Q": "end",
    b"\x04": "end",
    b"l": "log",
    b"x": "time",
    b"?": "help",
    b"h": "help",
}

_MOVES = {"down": 1, "up": -1, "page down": 10, "page up": -10}


def keys_of(typed: bytes) -> list[str]:
    """Returns the names of keys that were pressed; those that mean nothing are left out.

    Args:
        typed: Bytes of a terminal.
    """
    found = []
    for sequence in _SEQUENCE.findall(typed):
        if sequence in _NAMES:
            found.append(_NAMES[sequence])
        elif sequence.isdigit() and 1 <= int(sequence) <= len(PAGES):
            found.append(PAGES[int(sequence) - 1])
    return found


def pressed(view: View, key: str, frame: Frame) -> View:
    """Returns what is looked at after a key.

    Args:
        view: What is looked at.
        key: Name of the key.
        frame: What is shown.
    """
    if key == "help":
        return replace(view, has_help=not view.has_help)
    view = replace(view, has_help=False)
    if key == "log":
        return replace(view, scale=replace(view.scale, is_log=not view.scale.is_log))
    if key == "time":
        return replace(view, scale=replace(view.scale, by_time=not view.scale.by_time))
    if key in PAGES:
        return replace(view, page=key, first=0)
    if key in ("next", "before"):
        place = PAGES.index(view.page) + (1 if key == "next" else -1)
        return replace(view, page=PAGES[place % len(PAGES)], first=0)
    if key == "home":
        return replace(view, first=0)
    if view.page == OVERVIEW:
        # Further curves are on the page of curves.
        return replace(view, page=CURVES, first=0) if _MOVES.get(key, 0) > 0 else view
    first = view.first + _MOVES.get(key, 0)
    return replace(view, first=min(max(first, 0), most_left_out(frame, view.page)))
