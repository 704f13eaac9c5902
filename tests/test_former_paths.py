"""A module that was moved is found at its former path."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec

import pytest

from raymon.former_paths import _MOVED


def test_every_module_has_a_home_and_nothing_in_its_former_place() -> None:
    for former, home in _MOVED.items():
        spec = find_spec(f"raymon.{home}")
        assert spec is not None, home
        assert spec.origin is not None, home
        assert former not in _MOVED.values()
        package, _, name = f"raymon.{former}".rpartition(".")
        assert name not in getattr(import_module(package), "__all__", ()), former


def test_a_former_path_is_the_same_module_with_a_warning() -> None:
    sys.modules.pop("raymon.data.formats", None)
    with pytest.warns(DeprecationWarning, match=r"raymon\.data\.formats is raymon\.data\.files"):
        former = import_module("raymon.data.formats")
    assert former is import_module("raymon.data.files.formats")


def test_what_never_was_is_not_there() -> None:
    with pytest.raises(ModuleNotFoundError):
        import_module("raymon.data.never")
