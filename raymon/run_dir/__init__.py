"""The directory of a run: whether it can be written, and who writes to it."""
