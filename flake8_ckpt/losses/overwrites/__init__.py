"""State that is restored and then thrown away again."""
