"""`python -m raymon.cli`, the same as `raymon`."""

from raymon.cli.main import main

main()
