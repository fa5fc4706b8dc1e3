"""One file for each kind of change."""
