"""Where a run looks for its cluster."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import ray

from raymon.errors import RunError
from raymon.training.on_ray import cluster
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


REFUSED = """Initialization failure from server:
Traceback (most recent call last):
  File "proxier.py", line 710, in Datapath
RuntimeError: Starting Ray client server failed. See ray_client_server_23000.err.
"""


def test_a_client_whom_a_busy_head_does_not_answer_in_time_asks_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def init(address: str, **_: Any) -> Any:
        asked.append(address)
        if len(asked) == 1:
            raise ConnectionError("ray client connection timeout")
        return SimpleNamespace(dashboard_url="127.0.0.1:8265")

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(cluster, "probe", lambda *_: None)
    monkeypatch.setattr(cluster, "_CLIENT_PAUSES_S", (0.0, 0.0))
    assert connect("ray://head:10001").dashboard is not None
    assert len(asked) == 2


@pytest.mark.parametrize("failures", [1, 100])
def test_a_client_that_a_new_head_cannot_take_yet_asks_again_and_says_why_it_is_refused(
    monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    asked: list[str] = []

    def init(address: str, **_: Any) -> Any:
        asked.append(address)
        if len(asked) <= failures:
            raise ConnectionAbortedError(REFUSED)
        return SimpleNamespace(dashboard_url="127.0.0.1:8265")

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(cluster, "probe", lambda *_: None)
    monkeypatch.setattr(cluster, "_CLIENT_PAUSES_S", (0.0, 0.0))
    if failures == 1:
        assert connect("ray://head:10001").dashboard is not None
        assert len(asked) == 2
        return
    with pytest.raises(RunError) as told:
        connect("ray://head:10001")
    assert len(asked) == 3
    assert str(told.value) == (
        "--address ray://head:10001: no Ray cluster there: ConnectionAbortedError: Initialization "
        "failure from server: RuntimeError: Starting Ray client server failed. See "
        "ray_client_server_23000.err."
    )
