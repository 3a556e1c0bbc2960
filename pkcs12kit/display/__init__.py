"""What people see: text trees at a terminal."""
