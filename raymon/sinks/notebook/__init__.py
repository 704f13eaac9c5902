"""Progress in a notebook: one output that is drawn anew, in place of log lines."""
