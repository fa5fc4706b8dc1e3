"""Objects of Python's own that belong to a process: pickle refuses them."""

from __future__ import annotations

from flake8_ckpt.frameworks.vocabulary import names

UNPICKLABLE = names("python", "class", "belongs to a process")
