"""Whether there is something that a run can go on from."""

from __future__ import annotations

import pyarrow as pa

from raymon.errors import RunError, first_line
from raymon.storage import storage_path
from raymon.training.checkpoint.manifest import newest_checkpoint


def has_checkpoint(model_dir: str) -> bool:
    """Returns whether a directory has a complete checkpoint to go on from.

    Args:
        model_dir: Directory of a run, or its URI.

    Raises:
        RunError: It cannot be read.
    """
    try:
        return newest_checkpoint(storage_path(model_dir)) is not None
    except (OSError, pa.ArrowException) as error:
        raise RunError(f"{model_dir}: cannot be read: {first_line(error)}") from None
