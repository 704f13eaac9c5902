"""Where in the code an error came from, in one line."""

from __future__ import annotations

import os
import re
import sysconfig
import traceback
from contextlib import suppress
from pathlib import Path

from raymon import errors
from raymon.errors import RaymonError, reason

_RAYMON = str(Path(errors.__file__).parent) + os.sep
_INSTALLED = tuple(
    {os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "platstdlib")}
    | {f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}"}
)
_PACKAGE = re.compile(r"[/\\](?:site|dist)-packages[/\\](\w+)")
_LIBRARIES = {
    "adlfs",
    "aiobotocore",
    "aiohttp",
    "botocore",
    "click",
    "crc32c",
    "fbgemm_gpu",
    "fsspec",
    "gcsfs",
    "google",
    "grpc",
    "numpy",
    "pandas",
    "psutil",
    "pyarrow",
    "pythonjsonlogger",
    "ray",
    "requests",
    "rich",
    "s3fs",
    "safetensors",
    "tenacity",
    "tensorboard",
    "tensorboardX",
    "torch",
    "torchmetrics",
    "torchrec",
    "triton",
    "urllib3",
    "yaml",
}
"""What raymon calls, and what that calls."""


def error_location(error: BaseException) -> str:
    """Returns where an error came from, such as `my_models.py:12 in predict`.

    This is the nearest frame of user code that raymon called, else of an installed package that may
    be the user's, else of raymon, else of any code; the text is empty if there is none.
    """
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename[:1] != "<"
    ]
    first = next(
        (i for i, frame in enumerate(frames) if is_raymon_file(frame.filename)), len(frames)
    )
    called = frames[first:]
    nearest = (
        [frame for frame in called if is_user_file(frame.filename)]
        or [frame for frame in called if _may_be_of_user(frame.filename)]
        or [frame for frame in frames if is_raymon_file(frame.filename)]
        or frames
    )[-1:]
    return "".join(f"{shown(f.filename)}:{f.lineno} in {f.name}" for f in nearest)


def describe(error: BaseException) -> str:
    """Returns what went wrong and where, in one line.

    Errors of raymon have no code location: their message says where.
    """
    where = "" if isinstance(error, RaymonError) else error_location(error)
    return f"{reason(error)} ({where})" if where else reason(error)


def is_raymon_file(filename: str) -> bool:
    """Returns whether a file of code is raymon's."""
    return filename.startswith(_RAYMON)


def _may_be_of_user(filename: str) -> bool:
    """Returns whether a file is of an installed package that raymon does not use."""
    found = _PACKAGE.search(filename)
    return found is not None and found.group(1) not in _LIBRARIES and not is_raymon_file(filename)


def _is_installed(filename: str) -> bool:
    path = os.path.realpath(filename)
    return any(path.startswith(part) or part in path for part in _INSTALLED)


def is_user_file(filename: str) -> bool:
    """Returns whether a file of code is neither raymon's nor that of an installed package."""
    return not (filename.startswith(_RAYMON) or filename[:1] == "<" or _is_installed(filename))


def shown(filename: str) -> str:
    """Returns the name of a file of code as it is shown: from the working directory on."""
    with suppress(ValueError):
        return str(Path(filename).relative_to(Path.cwd()))
    return filename
