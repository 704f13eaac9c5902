"""Features: raw columns to ids and numbers."""
