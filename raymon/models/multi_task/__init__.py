"""Models of several tasks, each with a tower; one model a file."""
