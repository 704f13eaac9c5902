"""Checks of the numbers of a run: losses, metrics, learning rates, tables."""
