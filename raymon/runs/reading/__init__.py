"""Files of JSON lines, read while they grow, are rolled back or are thinned."""
