"""The numbers of merged windows: decayed metrics, totals, the interval between two snapshots."""
