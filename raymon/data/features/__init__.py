"""Features: from raw columns to ids and numbers."""
