"""Progress on a terminal: log lines and live bars."""
