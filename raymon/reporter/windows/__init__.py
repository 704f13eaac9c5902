"""Windows of all ranks, put together over attempts."""
