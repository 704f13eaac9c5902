"""What travels from a worker to the reporter: layout, states, counts, fixed point."""
