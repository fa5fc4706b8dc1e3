"""What keeps a finding from being reported: a comment beside it, or a baseline that knows it."""
