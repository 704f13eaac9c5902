"""Example configs, and loops that are watched by `raymon.Monitor`."""
