"""Metrics by their names in a config, raymon's and custom ones."""
