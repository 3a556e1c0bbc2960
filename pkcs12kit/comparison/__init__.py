"""The comparison of two sets of certificates: what changed, and which paths that made or broke."""
