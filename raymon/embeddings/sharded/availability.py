"""Whether TorchRec and fbgemm are installed, in versions that fit torch."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

_HOW = "the guide on embedding tables says how to install it"

_FBGEMM = ("fbgemm-gpu", "fbgemm-gpu-cpu", "fbgemm-gpu-genai")
"""Distributions that bring `fbgemm_gpu`, for CUDA and for the CPU."""

_TORCH_AHEAD = 5
"""fbgemm 1.n is built for torch 2.(n + 5), from 1.0 for torch 2.5 on."""


def fitting_versions(torch: str) -> str | None:
    """Returns the version of fbgemm and TorchRec that is built for a torch, such as "1.8.*".

    Args:
        torch: Version of torch.

    Returns:
        The version; None if there is none.
    """
    found = re.match(r"2\.(\d+)\.", torch)
    minor = int(found.group(1)) - _TORCH_AHEAD if found else -1
    return f"1.{minor}.*" if minor >= 0 else None


def why_unavailable(version_of: Callable[[str], str] = version) -> str | None:
    """Returns why tables cannot be sharded here; None if they can.

    Versions are read, and nothing is imported: binaries that do not fit torch fail at their import
    with an undefined symbol, or crash.

    Args:
        version_of: Returns the version of a distribution, or raises `PackageNotFoundError`.
    """
    torchrec = _version(["torchrec"], version_of)
    fbgemm = _version(_FBGEMM, version_of)
    torch = _version(["torch"], version_of)
    if torchrec is None:
        return f"TorchRec is not installed; {_HOW}"
    if fbgemm is None:
        return f"fbgemm, which TorchRec needs, is not installed; {_HOW}"
    fitting = fitting_versions(torch or "")
    for name, found in (("fbgemm", fbgemm), ("torchrec", torchrec)):
        if fitting is None or not found.startswith(fitting.rstrip("*")):
            return (
                f"{name} {found} is not built for torch {torch}, "
                + (f"{name} {fitting} is" if fitting else "no version is")
                + f"; {_HOW}"
            )
    return None


def _version(names: list[str] | tuple[str, ...], version_of: Callable[[str], str]) -> str | None:
    for name in names:
        try:
            return version_of(name)
        except PackageNotFoundError:
            continue
    return None
