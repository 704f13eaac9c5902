"""One rank among others: its world, its collectives, and how its failure is told."""
