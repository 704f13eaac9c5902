"""Loops of other libraries, watched by their callbacks."""
