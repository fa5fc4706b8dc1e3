"""The tables of the command contract."""
