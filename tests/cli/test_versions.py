from __future__ import annotations

import platform
import subprocess
import sys
from importlib.metadata import version

import pytest

from raymon.cli import versions as versions_of
from raymon.cli.versions import STANDS_ON, versions


def test_all_that_raymon_stands_on_is_there_a_line_each() -> None:
    assert versions().splitlines() == [
        f"raymon, version {version('raymon')}",
        f"python {platform.python_version()}",
        *(f"{name} {version(name)}" for name in STANDS_ON),
    ]


def test_what_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions_of, "STANDS_ON", ("no-such-package",))
    assert versions().splitlines()[-1] == "no-such-package is not installed"


def test_they_are_shown_without_an_import_of_what_takes_long() -> None:
    program = (
        "import sys; from raymon.cli.commands import raymon\n"
        "raymon.main(['--version'], standalone_mode=False)\n"
        "print(sorted({'torch', 'ray', 'pyarrow', 'numpy'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (shown.stdout.splitlines()[-1], shown.stderr) == ("[]", "")
