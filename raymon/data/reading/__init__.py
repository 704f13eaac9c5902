"""Reading a table: its plan, order, streams, chunks, prefetch, conversion to batches."""
