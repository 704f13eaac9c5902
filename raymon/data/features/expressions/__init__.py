"""Arithmetic expressions: parsed into a tree, and computed for all rows at once; never run."""
