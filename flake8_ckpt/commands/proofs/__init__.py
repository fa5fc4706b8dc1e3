"""The subcommand `prove`."""
