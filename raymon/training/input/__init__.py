"""The input of a rank: readers, datasets, and feeds that agree on batches across ranks."""
