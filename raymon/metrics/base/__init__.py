"""What metrics are made from: states, checks of input, kept rows, groups."""
