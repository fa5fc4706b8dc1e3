"""What a watched run showed: the judge of its facts, and the file that keeps what it decided."""
