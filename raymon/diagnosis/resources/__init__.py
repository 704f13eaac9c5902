"""Checks of memory, files and disks: what grows without end, and when it will be full."""
