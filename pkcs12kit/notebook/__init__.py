"""What notebooks show of values: HTML that needs nothing from elsewhere, and plain text. No key, no password."""
