"""The notebook that this process is the kernel of, if it is one."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Protocol


class Shown(Protocol):
    """An output in a notebook, as IPython's `DisplayHandle`."""

    def update(self, obj: Any, **options: Any) -> None:
        """Shows something else in its place."""


class Display(Protocol):
    """How outputs get into a notebook, as IPython's `display`."""

    def __call__(self, obj: Mapping[str, str], *, raw: bool, display_id: bool) -> Shown:
        """Shows the forms of an output, by MIME type, below the cell."""


def kernel_display() -> Display | None:
    """Returns how outputs get into the notebook of this process; None if there is none.

    Kernels of Jupyter, VS Code, Colab and their kin have an interactive shell of IPython that is
    a `ZMQInteractiveShell`. Nothing is imported: where IPython is not, there is no notebook.
    """
    ipython: Any = sys.modules.get("IPython")
    try:
        shell = ipython.get_ipython()
        kinds = {kind.__name__ for kind in type(shell).__mro__}
        if "ZMQInteractiveShell" not in kinds:
            return None
        display: Display = sys.modules["IPython.display"].display
    except (AttributeError, KeyError):
        return None
    return display
