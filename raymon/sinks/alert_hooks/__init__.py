"""Programs and web addresses of the user's that alerts are given to."""
