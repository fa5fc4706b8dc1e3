"""What happens to each object with state in the programs that reach it."""
