"""The pages that people read, and what is in them: links, blocks of code, names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """A block of code in a page.

    Attributes:
        page: Path of the page.
        language: Language as the fence says; "" if it says none.
        text: Code of the block.
    """

    page: Path
    language: str
    text: str

    def __str__(self) -> str:
        line = self.text.partition("\n")[0]
        return f"{self.page.relative_to(ROOT)}: {line}"


@cache
def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(language: str) -> list[Block]:
    found = (
        Block(page, *match.groups()) for page in PAGES for match in _BLOCK.finditer(text(page))
    )
    return [block for block in found if block.language == language]


def prose(page: Path) -> str:
    """Returns a page without its blocks of code."""
    return _BLOCK.sub("", text(page))


def spans(page: Path) -> Iterator[str]:
    """Returns the code in the prose of a page."""
    for found in re.findall(r"(?<!`)`([^`]+)`(?!`)", prose(page)):
        yield " ".join(found.split())


def headings(page_text: str) -> set[str]:
    """Returns the anchors of a page."""
    anchors: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", _BLOCK.sub("", page_text), re.M):
        # As Python-Markdown makes them.
        words = re.sub(r"[^\w\s-]", "", heading).strip().lower()
        anchors.add(re.sub(r"[-\s]+", "-", words))
    return anchors
