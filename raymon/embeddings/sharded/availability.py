"""Whether TorchRec and fbgemm are installed, in versions that fit torch."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

_INSTALL = "see the guide on embedding tables for how to install TorchRec"

_FBGEMM = ("fbgemm-gpu", "fbgemm-gpu-cpu", "fbgemm-gpu-genai")
"""Distributions that bring `fbgemm_gpu`, for CUDA and for the CPU."""

_TORCH_AHEAD = 5
"""fbgemm 1.n is built for torch 2.(n + 5), from 1.0 for torch 2.5 on."""


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
    if torchrec is None or importlib.util.find_spec("torchrec") is None:
        return f"TorchRec is not installed; {_INSTALL}"
    if fbgemm is None or importlib.util.find_spec("fbgemm_gpu") is None:
        return f"fbgemm, which TorchRec needs, is not installed; {_INSTALL}"
    built_for = f"2.{_minor(fbgemm) + _TORCH_AHEAD}"
    if torch is None or not torch.startswith(f"{built_for}."):
        return (
            f"fbgemm {fbgemm} is built for torch {built_for}, and here is torch {torch}; install "
            f"the fbgemm and torchrec of this torch"
        )
    if _minor(torchrec) != _minor(fbgemm):
        return (
            f"torchrec {torchrec} and fbgemm {fbgemm} do not fit together; install torchrec "
            f"1.{_minor(fbgemm)}"
        )
    return None


def _version(names: list[str] | tuple[str, ...], version_of: Callable[[str], str]) -> str | None:
    for name in names:
        try:
            return version_of(name)
        except PackageNotFoundError:
            continue
    return None


def _minor(text: str) -> int:
    found = re.match(r"1\.(\d+)", text)
    return int(found.group(1)) if found else -1
