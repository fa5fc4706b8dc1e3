"""The tests; `tests/rules` holds one file for each rule."""
