"""The files that a path means, and how each format is opened and read."""
