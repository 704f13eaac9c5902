"""The parts that metrics are made from: states, checks of input, stored rows, groups."""
