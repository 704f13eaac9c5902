from dataclasses import replace

import numpy as np

from raymon.board.terminal.curves import Curve, Points
from raymon.board.terminal.frame import Frame
from raymon.board.terminal.keys import keys_of, pressed
from raymon.board.terminal.pages import CURVES, OVERVIEW, PAGES, View

CURVE = Curve("loss", Points(np.ones(1), np.ones(1), np.ones(1)), Points())
FRAME = Frame("/runs/a", "a", curves=[CURVE] * 5)


def after(view: View, typed: bytes) -> View:
    for key in keys_of(typed):
        view = pressed(view, key, FRAME)
    return view


def test_arrows_are_known_in_both_modes_of_a_terminal() -> None:
    names = ["up", "down", "next", "before"]
    assert keys_of(b"\x1b[A\x1b[B\x1b[C\x1b[D") == names
    assert keys_of(b"\x1bOA\x1bOB\x1bOC\x1bOD") == names


def test_keys_without_a_meaning_are_left_out() -> None:
    assert keys_of(b"zZ\x1b[15~\x1b[200~9\xc3\xa9q") == ["end"]


def test_pages_follow_each_other_in_a_circle() -> None:
    view = View()
    seen = []
    for _ in PAGES:
        seen.append(view.page)
        view = after(view, b"\t")
    assert tuple(seen) == PAGES
    assert view.page == OVERVIEW
    assert after(view, b"\x1b[Z").page == PAGES[-1]
    assert after(view, b"2").page == CURVES


def test_scales_are_switched_on_and_off() -> None:
    view = after(View(), b"lx")
    assert (view.scale.is_log, view.scale.by_time) == (True, True)
    assert after(view, b"lx") == View()


def test_rows_move_within_the_page() -> None:
    view = View(CURVES)
    assert after(view, b"\x1b[A").first == 0
    assert after(view, b"\x1b[B\x1b[B").first == 2
    assert after(view, b" ").first == 4
    assert after(view, b" \x1b[H").first == 0
    assert after(view, b"\x1b[B\t").first == 0


def test_help_goes_with_the_next_key() -> None:
    view = after(View(), b"?")
    assert view.has_help
    assert not after(view, b"?").has_help
    assert after(view, b"2") == replace(View(), page=CURVES)
