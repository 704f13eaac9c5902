"""The output in a notebook as HTML, made of escaped text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_STYLES = {"done": "#1a7f37", "interrupted": "#9a6700", "failed": "#cf222e"}


@dataclass(frozen=True)
class Bar:
    """A thing that is in progress.

    Attributes:
        description: What it is.
        completed: Steps so far.
        total: Steps in all; None if they are not known.
        numbers: Its numbers.
        left: Time that is left; empty if that is not known.
    """

    description: str
    completed: int
    total: int | None
    numbers: str
    left: str = ""

    @property
    def text(self) -> str:
        """The bar in a line of text."""
        parts = [self.description, self.done, self.left, self.numbers]
        return "  ".join(part for part in parts if part)

    @property
    def done(self) -> str:
        """How much of it is done."""
        if not self.total:
            return f"{self.completed:,}it"
        share = min(100 * self.completed // self.total, 100)
        return f"{share} % {self.completed:,}/{self.total:,}"


def page_html(
    status: str, bars: Sequence[Bar], scores: str, charts: Sequence[str], lines: Sequence[str]
) -> str:
    """Returns the output.

    Args:
        status: How the run is; empty while it goes on.
        bars: What is in progress.
        scores: Newest scores of an evaluation, as text; empty if there are none.
        charts: Pictures, as SVG.
        lines: Warnings, as text.
    """
    rows = [_bar(bar, status if place == 0 else "") for place, bar in enumerate(bars)]
    if status and not bars:
        rows.append(_status(status))
    if scores:
        rows.append(escape(scores))
    if charts:
        rows.append(
            f'<span style="display:flex;flex-wrap:wrap;gap:4px 16px">{"".join(charts)}</span>'
        )
    rows += [f'<span style="color:#bc4c00">{escape(line)}</span>' for line in lines]
    divs = "".join(f"<div>{row}</div>" for row in rows)
    return f'<div style="font:13px/1.6 monospace;overflow-wrap:anywhere">{divs}</div>'


def _bar(bar: Bar, status: str) -> str:
    meter = ""
    if bar.total:
        meter = (
            f'<progress value="{min(bar.completed, bar.total)}" max="{bar.total}" '
            'style="width:160px;vertical-align:middle"></progress> '
        )
    first = _status(status) if status else f"<b>{escape(bar.description)}</b>"
    rest = "  ".join(escape(part) for part in (bar.done, bar.left, bar.numbers) if part)
    return f"{first} {meter}{rest}"


def _status(status: str) -> str:
    return f'<b style="color:{_STYLES.get(status, "inherit")}">{escape(status)}</b>'
