"""What saves write and loads read: effects, pairs, mismatches."""
