"""What the driver does when a rank hangs: its stacks are taken, and it may be ended."""
