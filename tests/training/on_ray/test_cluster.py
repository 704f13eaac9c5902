"""Where a run looks for its cluster."""

from __future__ import annotations

import pytest
import ray

from raymon.errors import RunError
from raymon.training.on_ray.cluster import connect


@pytest.mark.parametrize("given", ["--address auto", "RAY_ADDRESS=auto"])
def test_a_cluster_of_this_machine_that_is_not_there_is_told_in_a_line(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    def nobody(*_: object) -> None:
        raise ConnectionError("Could not find any running Ray instance.\nAnd a page more.")

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray._private.services, "canonicalize_bootstrap_address", nobody)
    monkeypatch.setenv("RAY_ADDRESS", "auto")
    with pytest.raises(RunError) as told:
        connect("auto" if given.startswith("--") else None)
    assert str(told.value).startswith(f"{given}: no Ray cluster there: ConnectionError: Could not")
    assert "\n" not in str(told.value)
