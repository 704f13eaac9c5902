"""Prints the TorchRec and fbgemm for the CPU that are built for the torch that is installed.

`pip install --no-deps` takes them: TorchRec asks for one old version of torchmetrics, which it does
not need, and for the build of fbgemm for CUDA.
"""

from __future__ import annotations

import platform
from importlib.metadata import version

from raymon.embeddings import fitting_versions


def main() -> None:
    """Prints requirements of pip in one line; nothing where there is no build."""
    fitting = fitting_versions(version("torch"))
    if fitting is not None and platform.system() == "Linux" and platform.machine() == "x86_64":
        print(f"torchrec=={fitting} fbgemm-gpu-cpu=={fitting}")


if __name__ == "__main__":
    main()
