"""Datasets of a program in place of files."""
