"""Ids that get rows of their own as they are met: admitted by frequency, evicted by score."""
