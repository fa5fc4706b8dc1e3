"""Grammar that is newer than the running Python."""
