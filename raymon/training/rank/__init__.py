"""One rank among others: its world, its collectives, and how its failures are described."""
