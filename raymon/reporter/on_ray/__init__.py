"""The actors of the reporter, and the way to them."""
