"""Metrics by their names in a config, those of raymon and of users."""
