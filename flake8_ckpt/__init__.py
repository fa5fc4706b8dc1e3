"""Find the module state that a PyTorch checkpoint loses."""

from __future__ import annotations

__version__ = "0.1.0"
