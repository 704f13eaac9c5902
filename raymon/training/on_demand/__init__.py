"""What people ask of a run while it goes on, and what its driver answers."""
