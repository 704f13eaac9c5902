"""The token of a Ray that is started where the user has no home directory."""

import os
from pathlib import Path

import pytest

from raymon.training.on_ray.cluster import _give_token


@pytest.mark.parametrize("home", ["/proc/nowhere", "writable"])
def test_a_cluster_has_a_token_also_where_none_can_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "")
    monkeypatch.delenv("RAY_AUTH_TOKEN_PATH", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / home))
    _give_token()
    assert bool(os.environ["RAY_AUTH_TOKEN"]) == home.startswith("/")
