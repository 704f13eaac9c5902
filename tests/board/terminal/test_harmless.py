import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from raymon.board.terminal.harmless import harmless
from tests.board.terminal.made_runs import HOSTILE


@given(st.text())
def test_no_character_does_anything_to_a_terminal(text: str) -> None:
    found = harmless(text)
    assert not {"Cc", "Cf", "Cs", "Zl", "Zp"} & {unicodedata.category(c) for c in found}


@given(st.text())
def test_a_terminal_without_unicode_gets_none(text: str) -> None:
    found = harmless(text, has_unicode=False)
    assert found.isascii()
    assert found.isprintable()


def test_what_would_do_something_is_shown_as_its_escape() -> None:
    assert harmless(HOSTILE) == (
        "\\x1b]0;title\\x07\\x1b[2J\\x9b31m  [bold red]x[/] \\u202e\U0001f525日本"
    )


def test_text_that_does_nothing_stays_as_it_is() -> None:
    assert harmless("rank 3: 5 % slower, été") == "rank 3: 5 % slower, été"
