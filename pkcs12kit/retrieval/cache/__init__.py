"""Cached responses in a folder of the user's."""
