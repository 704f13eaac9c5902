"""Features, which turn columns into ids and numbers."""
