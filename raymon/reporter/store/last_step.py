"""The last step whose numbers are kept in the directory of a run."""

from __future__ import annotations

from raymon.errors import RunError, os_reason
from raymon.reporter.store.store import Store
from raymon.reporter.windows.history import replay
from raymon.storage import StoragePath


def last_step_kept(model_dir: StoragePath) -> int:
    """Returns the last step whose numbers are kept in the directory of a run; 0 if there are none.

    Changes nothing.

    Raises:
        RunError: They cannot be read.
    """
    try:
        saved = Store(model_dir).load()
    except OSError as error:
        raise RunError(f"{model_dir}: cannot be read: {os_reason(error)}") from None
    windows = replay(saved.state, saved.records).windows
    ends = [window.end_step for window in windows]
    return max([*ends, saved.state.end_step if saved.state else 0])
