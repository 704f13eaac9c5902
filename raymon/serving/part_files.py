"""An output of several Parquet files, which is there whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from raymon.data import DataReader, RowRange
from raymon.errors import RunError, os_reason
from raymon.serving.output_columns import OutputColumns
from raymon.serving.scored_rows import write_scored
from raymon.serving.scorer import Scorer
from raymon.serving.scoring import check_apart
from raymon.storage import ObjectPath, StoragePath, drafted, move_tree, remove_tree, write_whole

SUCCESS = "_SUCCESS"
"""File of no bytes that is written last, as programs expect of a directory of parts."""

_NAMES = re.compile(rf"part-\d+\.parquet|{SUCCESS}")


def part_path(directory: StoragePath, number: int) -> StoragePath:
    """Returns the file of a part; the order of the names is that of the numbers."""
    return directory / f"part-{number:05}.parquet"


def write_part(
    scorer: Scorer,
    input_path: str,
    ranges: Sequence[RowRange],
    columns: OutputColumns,
    batch_size: int,
    path: StoragePath,
) -> int:
    """Scores rows and writes them to a file; what a former try has left there is replaced.

    Args:
        scorer: Scorer of the rows.
        input_path: Input that the rows are of, for messages.
        ranges: Rows to score.
        columns: Columns that are written.
        batch_size: Rows of a batch.
        path: File that is written.

    Returns:
        The number of rows.

    Raises:
        UserError: The rows cannot be read, or the file cannot be written.
    """
    reader = DataReader(input_path, scorer.columns, batch_size=batch_size, ranges=ranges)
    try:
        with drafted(path, replace=True) as draft:
            write_scored(scorer, reader, columns, batch_size, draft, path.name)
    except OSError as error:
        raise RunError(f"{path}: cannot be written: {os_reason(error)}") from None
    return reader.rows


def check_output_directory(input_path: str, output: StoragePath, overwrite: bool) -> None:
    """Checks that only an output of parts is replaced, only if asked for, and the input never.

    Raises:
        RunError: Something else would be replaced.
    """
    check_apart(input_path, part_path(output, 0))
    if output.name.lower().endswith((".csv", ".tsv", ".gz", ".bz2", ".zst", ".arrow", ".feather")):
        raise RunError(
            f"{output}: workers write a directory of Parquet files; give a name without this ending"
        )
    try:
        if not output.exists():
            return
        if not output.is_dir():
            raise RunError(
                f"{output}: is a file, and workers write a directory; give another OUTPUT"
            )
        others = [path.name for path in output.iterdir() if not _NAMES.fullmatch(path.name)]
        empty = not others and not any(output.iterdir())
    except OSError as error:
        raise RunError(f"{output}: cannot be written: {os_reason(error)}") from None
    if others:
        raise RunError(
            f"{output}: has {min(others)}, which is of no prediction, and is left as it is; give "
            "another OUTPUT"
        )
    if not overwrite and not empty:
        raise RunError(
            f"{output}: is there already; --overwrite replaces it, or give another OUTPUT"
        )


@contextmanager
def drafted_parts(output: StoragePath) -> Iterator[StoragePath]:
    """Yields a directory for parts beside the output, which becomes the output at the end.

    It is on the same storage. An output that is there is replaced. If the block raises, the
    directory is removed.

    Args:
        output: Final directory, which has been checked.

    Raises:
        RunError: The output cannot be written.
    """
    if isinstance(output, Path):
        output = Path(os.path.realpath(output))
    draft = output.parent / f".{output.name}.{os.getpid()}.draft"
    made = _missing_parents(output)
    try:
        draft.mkdir(parents=True, exist_ok=True)
        yield draft
        write_whole(draft / SUCCESS, b"")
        _put(draft, output)
    except BaseException as error:
        with suppress(OSError):
            remove_tree(draft)
        with suppress(OSError):
            for directory in made:
                directory.rmdir()
        if isinstance(error, OSError):
            raise RunError(f"{output}: cannot be written: {os_reason(error)}") from None
        raise


def _missing_parents(output: StoragePath) -> list[Path]:
    return [a for a in output.parents if not a.exists()] if isinstance(output, Path) else []


def _put(draft: StoragePath, output: StoragePath) -> None:
    if isinstance(output, ObjectPath):
        # Objects have no directory to rename: the marker goes first and comes last.
        (output / SUCCESS).unlink(missing_ok=True)
        if output.exists():
            remove_tree(output)
        (draft / SUCCESS).unlink()
        move_tree(draft, output)
        write_whole(output / SUCCESS, b"")
        return
    old = output.with_name(f".{output.name}.{os.getpid()}.old")
    if output.exists():
        output.rename(old)
    try:
        move_tree(draft, output)
    except BaseException:
        if old.exists():
            old.rename(output)
        raise
    shutil.rmtree(old, ignore_errors=True)
