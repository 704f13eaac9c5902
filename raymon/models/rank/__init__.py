"""Models that score a row for its labels; one a file."""
