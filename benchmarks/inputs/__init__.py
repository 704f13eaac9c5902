"""What is measured on: generated data, and the windows of thousands of ranks."""
