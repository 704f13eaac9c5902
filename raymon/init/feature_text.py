"""The text of features in a config."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.text_encoding import CEscape

_WIDTH = 92


@dataclass(frozen=True)
class FeatureText:
    """A column as features.

    Attributes:
        column: Name of the column.
        why: Why they are made in this way, in a line.
        blocks: Text of each `feature_configs`.
        has_embedding: Whether one of them has an embedding.
    """

    column: str
    why: str
    blocks: tuple[str, ...]
    has_embedding: bool = True


def quoted(text: str) -> str:
    """Returns a string as protobuf text has it."""
    return f'"{CEscape(text.encode(), as_utf8=True)}"'


def listed(items: Sequence[str], indent: str) -> str:
    """Returns items in brackets, in lines that are not too long."""
    whole = f"[{', '.join(items)}]"
    if len(whole) + len(indent) <= _WIDTH:
        return whole
    lines, line = [], ""
    for item in items:
        if line and len(indent) + 2 + len(line) + len(item) > _WIDTH:
            lines.append(line.rstrip())
            line = ""
        line += f"{item}, "
    lines.append(line.rstrip(", "))
    inner = "\n".join(f"{indent}  {each}" for each in lines)
    return f"[\n{inner}\n{indent}]"


def block(kind: str, fields: Sequence[str]) -> str:
    """Returns the text of a feature of a kind with these fields."""
    inner = "\n".join(f"    {field}" for field in fields)
    return f"feature_configs {{\n  {kind} {{\n{inner}\n  }}\n}}"
