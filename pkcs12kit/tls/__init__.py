"""TLS handshakes: what a server sends, what clients make of it, and what is known of those not at hand."""
