"""Bundles of certificates that agencies publish: fetched, checked and compared with the last copy."""
