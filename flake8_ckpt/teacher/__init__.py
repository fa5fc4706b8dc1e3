"""Explanations: the page of a rule, what a finding means in the user's own names, and why a line has none."""
