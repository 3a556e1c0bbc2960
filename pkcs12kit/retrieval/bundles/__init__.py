"""Bundles of certificates that agencies publish: fetching, checking, and comparing with the previous copy."""
