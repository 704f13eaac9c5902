"""Metrics of a training: windows, decay, and the wrapper that does both."""
