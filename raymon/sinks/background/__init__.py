"""Runs a sink on a separate thread, where it does no harm if it is slow, hangs or fails."""
