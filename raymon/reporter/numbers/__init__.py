"""Numbers of merged windows: decayed metrics, totals, the interval between two points."""
