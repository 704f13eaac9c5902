"""Globs, as shells read them."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from functools import lru_cache

ANY_DEPTH = "**"

# A class has at least one character, which may be ], and no slash.
_CLASS = r"\[[!^]?+(?:\[:[a-z]+:\]|\]|[^\]/])(?:\[:[a-z]+:\]|[^\]/])*\]"
_MAGIC = re.compile(rf"[*?]|{_CLASS}")
_BRACES = rf"\{{(?:{_CLASS}|[^{{}}])*\}}"
_TOKEN = re.compile(rf"{_CLASS}|{_BRACES}|.", re.DOTALL)
_NAMED = {
    "[:digit:]": "0-9",
    "[:alpha:]": "A-Za-z",
    "[:alnum:]": "A-Za-z0-9",
    "[:upper:]": "A-Z",
    "[:lower:]": "a-z",
    "[:xdigit:]": "A-Fa-f0-9",
}


def is_glob(text: str) -> bool:
    """Whether a text means other names than itself: it has `*`, `?` or a class like `[!0-9]`."""
    return _MAGIC.search(text) is not None


def escaped(text: str) -> str:
    """Returns the glob, without a comma between paths, that means a text itself."""
    return re.sub(r"[*?\[,{]|^ | $", r"[\g<0>]", text)


def alternatives(glob: str) -> list[str]:
    """Returns the globs, in order, that one with braces stands for, such as `day={1,2}`."""
    tokens = _TOKEN.findall(glob)
    for place, token in enumerate(tokens):
        choices = split_list(token[1:-1]) if token[0] == "{" else []
        if len(choices) > 1:
            before, after = "".join(tokens[:place]), "".join(tokens[place + 1 :])
            each = (alternatives(before + choice + after) for choice in choices)
            return list(dict.fromkeys(glob for globs in each for glob in globs))
    return [glob]


def split_list(text: str) -> list[str]:
    """Returns the texts between commas, except commas in classes and in braces."""
    parts = [""]
    for token in _TOKEN.findall(text):
        if token == ",":
            parts.append("")
        else:
            parts[-1] += token
    return parts


def fits(name: str, segment: str) -> bool:
    """Whether a name matches a segment of a glob, which is the text between two slashes.

    Names that begin with . or _ are not data by convention, such as `_SUCCESS`, `_delta_log` and
    `.ipynb_checkpoints`, except values of partitions, such as `_day=1`. A segment matches such a
    name only if it begins with the same character.
    """
    return _regex(segment).match(name) is not None and (
        is_visible(name) or (segment[0] == name[0] and name[0] in "._")
    )


def is_visible(name: str) -> bool:
    """Whether a name is one of data."""
    if name.startswith("_"):
        return "=" in name
    return not name.startswith(".") and not name.endswith("._COPYING_")


def may_read(names: Sequence[str], segments: Sequence[str]) -> bool:
    """Whether a glob means a path below a directory, or a directory that holds the path.

    Args:
        names: Names of the path, from the directory on.
        segments: Segments of the glob, from there on.
    """
    if not segments:
        return True
    if segments[0] == ANY_DEPTH:
        return any(may_read(names[skip:], segments[1:]) for skip in range(len(names) + 1))
    return bool(names) and fits(names[0], segments[0]) and may_read(names[1:], segments[1:])


@lru_cache
def _regex(segment: str) -> re.Pattern[str]:
    def plain(found: re.Match[str]) -> str:
        # Translates what fnmatch does not know: ^ as a negation, and classes by name.
        text = found[0]
        for name, characters in _NAMED.items():
            text = text.replace(name, characters)
        return "[!" + text[2:] if text.startswith("[^") else text

    return re.compile(fnmatch.translate(re.sub(_CLASS, plain, segment)))
