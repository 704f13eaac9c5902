"""From the blocks of a config to features, a kind of feature a file."""
