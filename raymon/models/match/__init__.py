"""Models of retrieval: what they have in common, and one model a file."""
