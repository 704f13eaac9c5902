"""Warnings of tables with versions, such as Delta Lake, whose files are not all current."""

from __future__ import annotations

from collections.abc import Callable

from raymon.data.files.directory_tree import Tree, joined
from raymon.data.files.input_paths import input_paths


def versioned_tables(path: str) -> list[str]:
    """Returns warnings of tables with a log of versions in a path of data.

    Their directories keep files whose rows were changed or deleted since, and only the log says
    which file belongs to which version. raymon reads files.

    Args:
        path: Path, as `find_files` takes it.

    Returns:
        A line for each such table that is the directory of a path, or in which its glob begins.
    """
    return [
        f"{each.text}: is a table of {name}: its files are read as they are there, also those with "
        "rows that were changed or deleted since; give the files of one version, or a copy of it"
        for each in input_paths(path)
        for name, is_one in _FORMATS.items()
        if is_one(each.tree, each.base)
    ]


def _has(directory: str) -> Callable[[Tree, str], bool]:
    return lambda tree, base: bool(tree.children(joined(base, directory)))


def _is_iceberg(tree: Tree, base: str) -> bool:
    names = [entry.name for entry in tree.children(joined(base, "metadata"))]
    return any(name.endswith(".metadata.json") for name in names)


_FORMATS = {"Delta Lake": _has("_delta_log"), "Hudi": _has(".hoodie"), "Iceberg": _is_iceberg}
