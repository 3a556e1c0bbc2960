"""What people see: text at a terminal."""
