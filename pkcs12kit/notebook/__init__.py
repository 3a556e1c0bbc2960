"""HTML and plain text of values, for notebooks: without references to other resources, keys or passwords."""
