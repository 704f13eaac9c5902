"""The place of an error is that of the code that can be changed."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest
from torch import nn

import raymon
from raymon.code_location import describe, error_location, is_user_file
from raymon.errors import DataError
from raymon.models.layers.mlp import MLP

RAYMON = str(Path(raymon.__file__).parent / "calling.py")


def module(path: Path, code: str) -> Any:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(code)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def place_of(code: Any) -> str:
    """The place of what a function raises that raymon calls."""
    names: dict[str, Any] = {}
    exec(compile("def call(code):\n    code()\n", RAYMON, "exec"), names)
    with pytest.raises(ValueError, match="no") as failed:
        names["call"](code)
    return error_location(failed.value)


@pytest.mark.parametrize("package", ["my_package", "torch", "tenacity"])
def test_an_installed_package_of_the_user_is_the_users(tmp_path: Path, package: str) -> None:
    path = tmp_path / "lib" / "site-packages" / package / "model.py"
    code = module(path, "def predict():\n    raise ValueError('no')\n")
    found = place_of(code.predict)
    assert (found == f"{path}:2 in predict") == (package == "my_package")
    assert package == "my_package" or found.startswith("raymon/calling.py:2")


def test_code_that_is_not_installed_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "site-packages" / "my_package" / "model.py"
    inner = module(path, "def predict():\n    raise ValueError('no')\n")

    def outer() -> None:
        inner.predict()

    line = outer.__code__.co_firstlineno + 1
    assert place_of(outer) == f"{Path(__file__).relative_to(Path.cwd())}:{line} in outer"


def test_files_of_python_of_packages_and_of_raymon_are_not_the_users() -> None:
    for code in (sys.modules["json"], sys.modules[nn.__name__], sys.modules[MLP.__module__]):
        assert not is_user_file(str(code.__file__))
    assert is_user_file(__file__)
    assert not is_user_file("<string>")


def test_errors_of_raymon_say_themselves_where() -> None:
    assert describe(DataError("part-3.parquet: row 7: no label")) == (
        "part-3.parquet: row 7: no label"
    )
    assert describe(ValueError("no")) == "ValueError: no"
