"""The ways in which gradients of tables can be kept, for tests of what they have in common."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from raymon.embeddings import joining


def _dense(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "SMALL", 1 << 20)


def _sparse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "SMALL", 0)
    monkeypatch.setattr(joining, "_joins_large", lambda device: False)


def _padded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "SMALL", 0)
    monkeypatch.setattr(joining, "_joins_large", lambda device: True)


WAYS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "dense": _dense,
    "sparse": _sparse,
    "padded": _padded,
}
"""Sets a way for all tables that are made from then on: as small ones, and as large ones on the CPU
and on a GPU."""
