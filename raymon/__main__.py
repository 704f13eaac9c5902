"""`python -m raymon`, as the command `raymon`."""

from __future__ import annotations

from raymon.cli.main import main

if __name__ == "__main__":
    main()
