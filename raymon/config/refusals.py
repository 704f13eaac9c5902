"""Parts of a config that raymon does not have yet, until overrides replace or clear them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Refusal:
    """A field, a block or a value of the vocabulary that raymon does not have yet.

    Attributes:
        path: Path of the field in the config.
        name: Name that raymon does not have: that of the field, or of its value.
        why: What is wrong, and what would be right.
        oneof: Oneof of the block around it that the field is of; "" if none.
        fields: Scalars of a block that is refused, by name, so that it can be selected by them.
    """

    path: str
    name: str
    why: str
    oneof: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


def refused_items(refusals: Iterable[Refusal], items: str) -> dict[int, Mapping[str, str]]:
    """Returns the scalars of the items of a list whose only block is refused, by index."""
    found = ((re.fullmatch(rf"{re.escape(items)}\[(\d+)\]\.\w+", r.path), r) for r in refusals)
    return {int(match[1]): refusal.fields for match, refusal in found if match}


def standing(
    refusals: Iterable[Refusal], path: str, chosen: Iterable[tuple[str, str]]
) -> list[Refusal]:
    """Returns the refusals that still stand after a field was set or cleared.

    Args:
        refusals: Refusals so far.
        path: Path of the field.
        chosen: Oneofs of which a member was set: path of the block, and name of the oneof.
    """
    settled = set(chosen)
    return [
        refusal
        for refusal in refusals
        if not is_within(refusal.path, path)
        and (refusal.path.rpartition(".")[0], refusal.oneof) not in settled
    ]


def is_within(path: str, block: str) -> bool:
    """Whether a path is that of a block, or of something in it."""
    return path == block or path.startswith((f"{block}.", f"{block}["))


def moved_up(path: str, items: str, index: int) -> str | None:
    """Returns where a path leads once an item of a list is removed; None if it led into that item.

    Args:
        path: Path of a field.
        items: Path of the list.
        index: Index of the item that is removed.
    """
    found = re.match(rf"{re.escape(items)}\[(\d+)\]", path)
    if found is None or int(found[1]) < index:
        return path
    if int(found[1]) == index:
        return None
    return f"{items}[{int(found[1]) - 1}]{path[found.end() :]}"


def without_item(refusals: Iterable[Refusal], items: str, index: int) -> list[Refusal]:
    """Returns the refusals that still stand after an item of a list was removed."""
    moved = ((refusal, moved_up(refusal.path, items, index)) for refusal in refusals)
    return [replace(refusal, path=path) for refusal, path in moved if path is not None]


def all_in_one_line(refusals: list[Refusal]) -> str:
    """Returns the message of the first refusal, with how many others there are and their names."""
    first, *others = refusals
    if not others:
        return first.why
    names = dict.fromkeys(refusal.name for refusal in others)
    return f"{first.why} (and {len(others)} more that it does not have: {', '.join(names)})"
