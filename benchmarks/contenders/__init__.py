"""Who is measured, where that takes more than a function."""
