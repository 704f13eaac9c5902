"""The gauges of a run, for Prometheus."""
