from __future__ import annotations

import numpy as np
import pytest

from raymon.data import LabelKind


@pytest.mark.parametrize(
    ("kind", "num_class", "right", "wrong"),
    [
        (LabelKind.BINARY, None, [0, 1], [-1, 2, 0.5, np.nan, np.inf]),
        (LabelKind.CLASS, None, [0, 1, 70], [-1, 0.5, np.nan, np.inf]),
        (LabelKind.CLASS, 3, [0, 1, 2], [-1, 3, 0.5, np.nan]),
        (LabelKind.REAL, None, [0, -1.5, 1e30], [np.nan, np.inf, -np.inf, 1e300]),
    ],
)
def test_a_kind_holds_its_values_alone(
    kind: LabelKind, num_class: int | None, right: list[float], wrong: list[float]
) -> None:
    assert kind.valid(np.array(right, np.float64), num_class).all()
    assert not kind.valid(np.array(wrong, np.float64), num_class).any()
