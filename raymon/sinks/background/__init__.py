"""A sink on a thread of its own, so that it does no harm when it is slow, hangs or fails."""
