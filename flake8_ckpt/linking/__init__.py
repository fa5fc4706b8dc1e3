"""Names, classes, values and calls across files."""
