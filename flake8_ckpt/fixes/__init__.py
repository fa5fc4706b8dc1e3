"""Codemods: how the findings of a file become edits of its text, on a fresh parse of what it holds."""
