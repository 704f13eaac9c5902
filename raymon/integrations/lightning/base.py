"""The class that Lightning wants its callbacks to be of."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from raymon.errors import UserError

_PACKAGES = ("lightning.pytorch", "pytorch_lightning")
"""The two packages that Lightning comes in; a trainer takes the callbacks of its own alone."""


def callback_class() -> Any:
    """Returns the class `Callback` of the package that is imported, or of both.

    Raises:
        UserError: None of the two is installed.
    """
    found = [name for name in _PACKAGES if name in sys.modules] or [_first_installed()]
    bases = tuple(import_module(name).Callback for name in found)
    return bases[0] if len(bases) == 1 else type("Callback", bases, {})


def _first_installed() -> str:
    for name in _PACKAGES:
        try:
            import_module(name)
        except ModuleNotFoundError:
            continue
        return name
    raise UserError("raymon.integrations.lightning needs Lightning: pip install lightning")
