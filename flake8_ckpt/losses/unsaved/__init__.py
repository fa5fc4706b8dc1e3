"""Objects whose changing state is on neither side of a checkpoint."""
