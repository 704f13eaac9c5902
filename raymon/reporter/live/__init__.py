"""What a run writes about itself while it goes on: its attempts, and where it is."""
