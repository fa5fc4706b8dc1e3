"""Prove a finding: build the user's class, let the method run that the finding names, and round-trip it."""
