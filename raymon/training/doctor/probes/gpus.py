"""Measures the GPUs of this machine, as the driver tells them."""

from __future__ import annotations

import subprocess

from raymon.training.doctor.facts import GpuFacts

_FIELDS = ("name", "memory.total", "memory.used", "utilization.gpu", "driver_version")
_COMMAND = ("nvidia-smi", f"--query-gpu={','.join(_FIELDS)}", "--format=csv,noheader,nounits")
_MIB = 1 << 20
_ANSWERS_S = 20.0


def gpus_here() -> tuple[GpuFacts, ...]:
    """Returns the GPUs of this machine; none where there is no driver."""
    try:
        told = subprocess.run(
            _COMMAND, capture_output=True, text=True, timeout=_ANSWERS_S, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    return gpus_of(told)


def gpus_of(told: str) -> tuple[GpuFacts, ...]:
    """Returns the GPUs that `nvidia-smi` lists, a line each; what it does not know is left out."""
    gpus = []
    for line in told.splitlines():
        cells = [cell.strip() for cell in line.split(",")]
        if len(cells) == len(_FIELDS):
            name, total, used, busy, driver = cells
            gpus.append(
                GpuFacts(
                    name,
                    int(_number(total) or 0) * _MIB,
                    int(_number(used) or 0) * _MIB,
                    None if (percent := _number(busy)) is None else percent / 100,
                    driver,
                )
            )
    return tuple(gpus)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
