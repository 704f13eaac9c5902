"""Pure functions of arrays: areas, pairs, bins, exact sums, fixed point."""
