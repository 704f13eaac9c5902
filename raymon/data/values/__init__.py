"""The meaning of the values of a column, whatever their type: canonical forms, hashes, labels."""
