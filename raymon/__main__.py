"""The command `raymon`, as `python -m raymon`."""

from __future__ import annotations

from raymon.cli.main import main

if __name__ == "__main__":
    main()
