"""What features compute of raw columns before their values become ids or numbers."""
