"""Draws negatives of a batch from tables of items, for models of retrieval."""
