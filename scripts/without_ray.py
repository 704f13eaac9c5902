"""Runs a module, such as pytest, in a process in which Ray cannot be imported.

`python -m scripts.without_ray pytest tests/gpu` runs as `python -m pytest tests/gpu` does on a
machine that has all that raymon needs but Ray.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class WithoutRay(MetaPathFinder):
    """A finder that says of Ray what Python says of a package that is not installed."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Raises for Ray, and leaves other modules to other finders.

        Raises:
            ModuleNotFoundError: It is a module of Ray.
        """
        if fullname.split(".")[0] == "ray":
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return None


def main(arguments: list[str]) -> None:
    """Runs the module that is named first, with the arguments that follow."""
    sys.meta_path.insert(0, WithoutRay())
    sys.argv = arguments
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
