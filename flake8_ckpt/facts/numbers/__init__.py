"""Numbers that decide something later, read from the stdlib's tree."""
