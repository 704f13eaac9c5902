"""Reads a table: its plan, order, streams, chunks, prefetching and conversion to batches."""
