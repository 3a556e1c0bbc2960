"""Certification paths: the search for them (RFC 4158), their validation and revocation (RFC 5280 section 6)."""
