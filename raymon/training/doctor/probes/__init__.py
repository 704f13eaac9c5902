"""What measures the facts: machines, GPUs, storage, network, data."""
