"""Example pipeline configs."""
