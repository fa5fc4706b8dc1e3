"""Edits that break the checkpoints of real projects, and edits that change nothing, for `seeded` and `same`."""
