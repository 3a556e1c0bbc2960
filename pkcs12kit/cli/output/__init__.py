"""Everything that the command prints."""
