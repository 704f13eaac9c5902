"""The contenders that are more than a function."""
