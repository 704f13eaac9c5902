"""`/api/runs`: the table of runs.

Its parameters are `offset` and `limit` (of at most 2,000; without them the newest 500), `q` (words
which all have to be in the name, the directory or the status of a run), `status` (some of them,
parted by commas, of which a run has to have one), and `sort`: a field of the entries, or one in
them as in `eval.auc` or `config.train_config.num_epochs`, with a `-` before it for the largest
first. Without any of them those come first whose summary was written last, for which no summary
has to be read. `found` says how many runs there are, or match.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from raymon.board.web.query import Query

Entry = Mapping[str, Any]

_LIMIT, _MOST = 500, 2000

_STATES = 20

_CONFIG = "config."

_LAST = (1, 0, "")
"""Key of what has no value: it comes last, whichever way it is sorted."""


def run_list(
    paths: Mapping[str, str],
    entry: Callable[[str, str], Entry],
    changed: Callable[[str], float],
    query: Query,
    differing: Callable[[Mapping[str, str]], Mapping[str, Mapping[str, str | None]]],
) -> tuple[list[Entry], int]:
    """Returns the entries that a query asks for, and how many there are in all.

    Args:
        paths: Directories of the runs, by id.
        entry: Gives the entry of a run, by its id and directory.
        changed: Gives the time at which the summary of a run was last written.
        query: What is asked for.
        differing: Gives the fields in which the configs of some runs differ, by id.
    """
    offset = query.whole("offset", 0, 0, 10_000_000)
    limit = query.whole("limit", _LIMIT, 1, _MOST)
    words, sort = query.text("q").lower().split(), query.text("sort")
    states = query.names("status", _STATES)
    if not words and not sort and not states:
        newest = sorted(paths.items(), key=lambda item: (-changed(item[1]), item[1]))
        shown = newest[offset : offset + limit]
        return [entry(*each) for each in shown], len(newest)
    found = [entry(*each) for each in paths.items()]
    if states:
        found = [each for each in found if each["status"] in states]
    if words:
        found = [each for each in found if _matches(each, words)]
    field = sort.removeprefix("-") or "-updated"
    if not sort:
        field, sort = "updated", "-updated"
    if field.startswith(_CONFIG):
        known = differing({each["id"]: each["path"] for each in found[:_MOST]})
        found = [{**each, "config": known.get(each["id"], {})} for each in found]
    return _sorted(found, field, sort.startswith("-"))[offset : offset + limit], len(found)


def _matches(entry: Entry, words: Sequence[str]) -> bool:
    text = f"{entry['path']}\n{entry['status']}".lower()
    return all(word in text for word in words)


def _sorted(entries: list[Entry], field: str, falls: bool) -> list[Entry]:
    keyed = [(_key(entry, field), entry) for entry in entries]
    known = [each for each in keyed if each[0] != _LAST]
    without = [entry for key, entry in keyed if key == _LAST]
    known.sort(key=lambda each: each[0], reverse=falls)
    return [entry for _, entry in known] + without


def _key(entry: Entry, field: str) -> tuple[int, float, str]:
    group, _, name = field.partition(".")
    value = entry.get(group)
    if name:
        value = value.get(name) if isinstance(value, Mapping) else None
    if field.startswith(_CONFIG) and isinstance(value, str):
        with suppress(ValueError):
            value = float(value)
    if isinstance(value, int | float):
        return (0, float(value), "") if math.isfinite(value) else _LAST
    return _LAST if value is None or isinstance(value, Mapping) else (0, 0.0, str(value).lower())
