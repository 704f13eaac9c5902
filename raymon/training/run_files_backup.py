"""Restores the config and summary of a run if the session that resumed it was refused."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import pyarrow as pa

from raymon.config import CONFIG_FILE, VERSION_FILE
from raymon.runs import RUN_FILE
from raymon.storage import StoragePath, write_whole
from raymon.training.checkpoint.manifest import newest_checkpoint


class RunFilesBackup:
    """The config and the summary of a run that continues, as they were before this session.

    A session that is refused before its first window must change nothing: the checkpoints belong to
    the earlier config, which evaluation, export and resume need.

    Args:
        model_dir: Directory of the run; nothing is kept of a new run.
    """

    def __init__(self, model_dir: StoragePath) -> None:
        self._model_dir = model_dir
        self._contents: Mapping[str, bytes] = {}
        if newest_checkpoint(model_dir) is not None:
            names = (CONFIG_FILE, VERSION_FILE, RUN_FILE)
            contents = {name: self._read(name) for name in names}
            self._contents = {name: text for name, text in contents.items() if text is not None}

    @property
    def has_earlier_run(self) -> bool:
        """Whether there was a run before this session."""
        return bool(self._contents)

    def restore(self, *, summary: bool) -> None:
        """Writes the files back, as far as possible.

        Args:
            summary: Whether to restore the summary too; otherwise it says why this session failed.
        """
        for name, content in self._contents.items():
            if name != RUN_FILE or summary:
                with suppress(OSError, pa.ArrowException):
                    write_whole(self._model_dir / name, content)

    def _read(self, name: str) -> bytes | None:
        try:
            return (self._model_dir / name).read_bytes()
        except OSError:
            return None
