"""Certification path validation: RFC 5280 section 6.1, with the policy graph of RFC 9618."""
