"""What the values of columns are like, from a sample of the rows."""
