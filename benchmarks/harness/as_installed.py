"""An environment as an installation of raymon alone makes it.

The environment of the benchmarks also has the peers and what they need, and libraries import what
they find: torchmetrics does so with scipy and matplotlib.
"""

from __future__ import annotations

import sys
import venv
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


def environment_of(name: str, directory: Path, *also: str) -> Path:
    """Makes an environment of links to what is installed here.

    Args:
        name: Name of an installed distribution; what it requires is included.
        directory: Directory of the environment, which must not exist.
        *also: Names of further ones; those that are not installed are left out.

    Returns:
        Path of the environment's Python, which also finds the modules of this repository.
    """
    venv.create(directory, symlinks=True, with_pip=False)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = directory / "lib" / version / "site-packages"
    found: dict[tuple[str, frozenset[str]], Distribution] = {}
    for each in (name, *also):
        _collect(Requirement(each), found)
    for installed in found.values():
        for top in {file.parts[0] for file in installed.files or ()} - {"..", "__pycache__"}:
            link = packages / top
            if not link.exists():
                link.symlink_to(Path(str(installed.locate_file(top))).resolve())
    (packages / "here.pth").write_text(f"{ROOT}\n")
    return directory / "bin" / "python"


def _collect(
    requirement: Requirement, found: dict[tuple[str, frozenset[str]], Distribution]
) -> None:
    key = (requirement.name.lower().replace("_", "-"), frozenset(requirement.extras))
    if key in found:
        return
    try:
        found[key] = here = distribution(requirement.name)
    except PackageNotFoundError:  # a requirement that is not needed here
        return
    for text in here.requires or ():
        further = Requirement(text)
        extras = requirement.extras or {""}
        if further.marker is None or any(further.marker.evaluate({"extra": e}) for e in extras):
            _collect(further, found)
