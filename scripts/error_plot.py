"""The plot of errors by click rate, from the stored results of `python -m benchmarks metrics`.

`python -m scripts.error_plot` writes it to where the documents show it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "benchmarks" / "results" / "metrics.json"
PLOT = ROOT / "docs" / "images" / "auc_error.svg"

_QUESTION = re.compile(r"(AUC|PR-AUC): error, ([\d.]+)% clicks")
_WIDTH, _HEIGHT = 760, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 250, 30, 50
_LOWEST, _HIGHEST = -8, 0
"""Powers of 10 at the ends of the vertical axis."""
_COLORS = ("#0b6e4f", "#8d99ae", "#74c69d", "#bc6c25")

Errors = Mapping[str, Mapping[float, float]]
"""By contender, the error at each click rate in percent."""


def read_errors(result: Path = RESULT) -> Errors:
    """Returns the errors in a stored result."""
    errors: dict[str, dict[float, float]] = {}
    for case in json.loads(result.read_text(encoding="utf-8"))["cases"]:
        if found := _QUESTION.fullmatch(case["question"]):
            errors.setdefault(case["contender"], {})[float(found.group(2))] = case["error"]
    return errors


def draw(errors: Errors) -> str:
    """Returns the plot as SVG."""
    rates = sorted({rate for by_rate in errors.values() for rate in by_rate})
    across = {
        rate: _LEFT + i * (_WIDTH - _LEFT - _RIGHT) / (len(rates) - 1)
        for i, rate in enumerate(rates)
    }
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        *_axes(across),
    ]
    for color, (contender, by_rate) in zip(_COLORS, errors.items(), strict=True):
        points = [(across[rate], _down(error)) for rate, error in sorted(by_rate.items())]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        lines.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        lines += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>' for x, y in points]
        x, y = points[-1]
        lines.append(f'<text x="{x + 10:.1f}" y="{y + 4:.1f}" fill="{color}">{contender}</text>')
    return "\n".join([*lines, "</svg>", ""])


def _axes(across: Mapping[float, float]) -> Iterator[str]:
    right = _WIDTH - _RIGHT
    for power in range(_LOWEST, _HIGHEST + 1, 2):
        y = _down(10.0**power)
        yield f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#ddd"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">1e{power}</text>'
    for rate, x in across.items():
        yield f'<text x="{x:.1f}" y="{_HEIGHT - 28}" text-anchor="middle">{rate:g} %</text>'
    middle = (_LEFT + right) / 2
    yield f'<text x="{middle}" y="{_HEIGHT - 8}" text-anchor="middle">rate of positives</text>'
    yield f'<text x="{_LEFT}" y="18">distance from the exact value, a million samples</text>'


def _down(error: float) -> float:
    power = max(math.log10(error) if error > 0 else _LOWEST, _LOWEST)
    return _TOP + (_HIGHEST - power) / (_HIGHEST - _LOWEST) * (_HEIGHT - _TOP - _BOTTOM)


if __name__ == "__main__":
    PLOT.write_text(draw(read_errors()), encoding="utf-8")
