"""What a run says of itself, as it was before a session that is refused."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import pyarrow as pa

from raymon.config import CONFIG_FILE, VERSION_FILE
from raymon.storage import StoragePath, write_whole
from raymon.training.checkpoint.manifest import newest_checkpoint
from raymon.training.summary import RUN_FILE


class FilesBefore:
    """The config and the summary of a run that goes on, as they are when it is made.

    A session that is refused before its first window has changed nothing: the checkpoints are of
    the config before it, by which the run is evaluated, exported and gone on with.

    Args:
        model_dir: Directory of the run; of one that begins nothing is kept.
    """

    def __init__(self, model_dir: StoragePath) -> None:
        self._model_dir = model_dir
        self._contents: Mapping[str, bytes] = {}
        if newest_checkpoint(model_dir) is not None:
            names = (CONFIG_FILE, VERSION_FILE, RUN_FILE)
            contents = {name: self._read(name) for name in names}
            self._contents = {name: text for name, text in contents.items() if text is not None}

    @property
    def goes_on(self) -> bool:
        """Whether there was a run."""
        return bool(self._contents)

    def put_back(self, *, summary: bool) -> None:
        """Writes the files again, as far as that goes.

        Args:
            summary: That of how the run ended too; else it tells why this session failed.
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
