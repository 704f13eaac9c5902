"""A sink on a thread of its own, which is slow, hangs or fails without harm."""
