"""Progress on a terminal: log lines, live bars, and what takes them."""
