"""Which rank hangs, and which wait for it."""
