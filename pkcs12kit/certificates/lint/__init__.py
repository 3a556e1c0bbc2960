"""Notes on the certificates of a path: what the profile of RFC 5280 asks of CAs, and clients that are known to care."""
