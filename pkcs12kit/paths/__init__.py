"""From a target to a trust anchor: discovery (RFC 4158), validation (RFC 5280 section 6), and what joins them."""
