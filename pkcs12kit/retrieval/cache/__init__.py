"""The cache of retrieved contents in a folder."""
