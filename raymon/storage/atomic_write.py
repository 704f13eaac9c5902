"""Writes a file whole, or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from raymon.storage.paths import StoragePath


def write_whole(path: StoragePath, data: bytes, *, durable: bool = True) -> None:
    """Writes `data` to a file; missing directories are made.

    Args:
        path: The file.
        data: Its content.
        durable: Whether it is there after a power cut; else the disk is not waited for.

    Raises:
        OSError: The file is unchanged.
    """
    if not isinstance(path, Path):
        path.write_bytes(data)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


@contextmanager
def drafted(path: StoragePath, *, replace: bool) -> Iterator[Path]:
    """Yields a draft file on this machine, which becomes the file at `path` at the end.

    If the block raises, the draft is removed, with the directories that were made for it.

    Args:
        path: Final path of the file; a link is followed.
        replace: Whether an existing file is replaced; else it is not touched.

    Raises:
        OSError: The file at `path` is unchanged.
    """
    if not isinstance(path, Path):
        with tempfile.TemporaryDirectory(prefix="raymon-") as here:
            draft = Path(here, "draft")
            yield draft
            if not replace and path.exists():
                raise _exists_error(path)
            path.upload(draft)
        return
    path = Path(os.path.realpath(path))
    made = [above for above in path.parents if not above.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        yield draft
        if replace:
            os.replace(draft, path)
        else:
            _put_new(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        with suppress(OSError):
            for directory in made:
                directory.rmdir()
        raise


def _put_new(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:
        # Some file systems have no links.
        if path.exists():
            raise _exists_error(path) from None
        os.replace(draft, path)
    else:
        draft.unlink()


def _exists_error(path: StoragePath) -> OSError:
    return FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
