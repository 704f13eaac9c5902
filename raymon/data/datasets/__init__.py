"""Reads datasets that a program gives in place of files."""
