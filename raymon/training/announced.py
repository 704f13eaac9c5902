"""Says that a run begins before it does, as it may have to wait for its cluster."""

from __future__ import annotations

from contextlib import suppress
from types import TracebackType

import pyarrow as pa

from raymon.errors import RunError
from raymon.reporter import Session, begin_summary, find_session
from raymon.runs import RUN_FILE
from raymon.storage import StoragePath, write_whole


class Announced:
    """Writes `run.json`; if the context is left by an exception, it is as it was before.

    Args:
        model_dir: Directory of the run.
        total_steps: Steps of the run; None if unknown.
        is_resumed: Whether it goes on from a checkpoint.
    """

    def __init__(
        self, model_dir: StoragePath, total_steps: int | None, *, is_resumed: bool
    ) -> None:
        self._path = model_dir / RUN_FILE
        self._before: bytes | None = None
        self._is_new = False
        try:
            self._before = self._path.read_bytes()
        except FileNotFoundError:
            self._is_new = True
        except OSError:
            # What cannot be read now cannot be put back, and is not removed.
            pass
        self.session: Session = find_session(model_dir, is_resumed=is_resumed)
        begin_summary(self.session, model_dir, total_steps)

    def __enter__(self) -> Announced:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            return
        with suppress(OSError, pa.ArrowException, RunError):
            if self._before is not None:
                write_whole(self._path, self._before)
            elif self._is_new:
                self._path.unlink(missing_ok=True)
