"""Clients of other makers, each with only the given trust anchors; none gets the private key."""
