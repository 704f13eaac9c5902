"""Names of metrics that MLflow takes, from which the given ones can be read."""

from __future__ import annotations

import posixpath
import re
import zlib

_NOT_TAKEN = re.compile(r"[^\w\-. /]", re.ASCII)
_ESCAPED = re.compile(r":([0-9a-f]+):")
_LONGEST = 250


def taken_name(tag: str) -> str:
    """Returns the name of a tag in MLflow, which is the tag wherever MLflow takes it.

    A character that it does not take, and a colon, is its code between colons: `auc@5` is
    `auc:40:5`. A name that is longer than MLflow's 250 characters ends with its checksum.
    """
    name = _NOT_TAKEN.sub(_escape, tag)
    if not name or posixpath.normpath(name) != name or name.startswith(("/", "..")) or name == ".":
        name = re.sub(r"[./]", _escape, name) or ":0:"
    if len(name) > _LONGEST:
        name = f"{name[: _LONGEST - 9]}.{zlib.crc32(tag.encode()):08x}"
    return name


def given_name(name: str) -> str:
    """Returns the tag of a name that `taken_name` returned, unless it was too long."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), name)


def _escape(match: re.Match[str]) -> str:
    return f":{ord(match[0]):x}:"
