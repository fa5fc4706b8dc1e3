"""Analyses of how state is lost, one for each rule that needs more than a question."""
