"""Snapshots and scores as lines of JSON, on disk and on object storage."""
