"""Datasets of a program in the place of files."""
