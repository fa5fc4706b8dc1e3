"""What lets a project that exists take up the linter: a baseline, a base for a diff, its settings, and a last line."""
