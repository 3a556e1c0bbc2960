"""HTTP with bounds: addresses, redirects, bytes and time."""
