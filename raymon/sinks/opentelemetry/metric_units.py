"""The units of metrics, and which of them are sums.

What is a share or a count has no unit: where names of Prometheus are made of units, such a metric
would get another name there.
"""

from __future__ import annotations

_SUMS = ("raymon_samples_total",)


def unit_of(name: str) -> str:
    """Returns the unit of a metric, in the notation of UCUM; empty for none."""
    if "_per_second" in name:
        return f"{{{name.removeprefix('raymon_').removesuffix('s_per_second')}}}/s"
    if "_seconds" in name:
        return "s"
    return "By" if name.endswith("_bytes") else ""


def is_sum(name: str) -> bool:
    """Returns whether a metric adds up over the run."""
    return name in _SUMS
