"""What runs inside a watched program: notes facts, decides nothing, needs the standard library and torch alone."""
