"""The lowest versions that the bounds of pyproject.toml allow, and the newest, each installed."""

from __future__ import annotations

import re
import subprocess
import tomllib
import venv
from pathlib import Path

import pytest

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("which", ["lowest", "newest"])
def test_raymon_works_with(which: str, tmp_path: Path) -> None:
    environment, constraints = tmp_path / "environment", tmp_path / "constraints.txt"
    constraints.write_text("\n".join(lower_bounds()) if which == "lowest" else "")
    source = tmp_path / "source"
    # Of a copy, as a build leaves files where it is made.
    for name in ("raymon", "pyproject.toml", "README.md", "LICENSE"):
        source.mkdir(exist_ok=True)
        subprocess.run(["cp", "-r", ROOT / name, source], check=True)
    venv.create(environment, with_pip=True)
    pip = environment / "bin" / "pip"
    subprocess.run([pip, "install", "--quiet", "-c", constraints, source], check=True)
    tried = subprocess.run(
        [ROOT / "scripts" / "try_install", environment / "bin"], capture_output=True, text=True
    )
    print(f"\n{which}:\n{tried.stdout}{tried.stderr}")
    assert tried.returncode == 0
    if which == "lowest":
        frozen = subprocess.run(
            [pip, "list", "--format", "freeze"], capture_output=True, text=True, check=True
        ).stdout
        installed = dict(line.lower().split("==") for line in frozen.splitlines() if "==" in line)
        for bound in lower_bounds():
            name, version = bound.lower().split("==")
            assert installed[name].split("+")[0].startswith(version)


def lower_bounds() -> list[str]:
    """Returns `name==version` for each dependency, with the lowest version in its bound."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = [
        re.fullmatch(r"([\w-]+)(?:\[.*\])?>=([\w.]+)(?:,.*)?", bound)
        for bound in project["dependencies"]
    ]
    return [f"{bound[1]}=={bound[2]}" for bound in found if bound is not None]
