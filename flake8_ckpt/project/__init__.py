"""What the files of a project say together."""
