"""Gauges of a run, for Prometheus."""
