"""The names of the vocabulary that raymon shares, whether raymon has what they stand for or not.

It is that of TorchEasyRec. A name is known only in the message, or the enum, that it belongs to.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

_LIST = "known_names.txt"


def known_fields(message: str) -> Mapping[str, str]:
    """Returns the names of fields that a message has in the vocabulary.

    Args:
        message: Name of the message in raymon's schema.

    Returns:
        For each name the oneof that it is of; "" if it is of none.
    """
    return _names().get(message, {})


def known_values(enum: str) -> frozenset[str]:
    """Returns the names of values that an enum has in the vocabulary."""
    return frozenset(_names().get(f"enum {enum}", ()))


@cache
def _names() -> dict[str, dict[str, str]]:
    names: dict[str, dict[str, str]] = {}
    own: dict[str, str] = {}
    oneof = ""
    for line in files(__package__).joinpath(_LIST).read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        if not line.startswith(" "):
            head, _, line = line.partition(":")
            own, oneof = names.setdefault(head, {}), ""
        for word in line.split():
            if word.startswith("|"):
                oneof = word[1:]
            else:
                own[word] = oneof
    return names
