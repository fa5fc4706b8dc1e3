"""Measure the linter: recall, agreement with real objects, precision, speed and growth."""
