"""Look into a checkpoint without loading it: nothing in the file is executed, and torch is not needed."""

from __future__ import annotations

from flake8_ckpt.runtime.inspector.errors import CheckpointError
from flake8_ckpt.runtime.inspector.inspection import inspect_checkpoint
from flake8_ckpt.runtime.inspector.report import Entry
from flake8_ckpt.runtime.inspector.report import Finding
from flake8_ckpt.runtime.inspector.report import Report
from flake8_ckpt.runtime.inspector.report import Statistics

__all__ = ["CheckpointError", "Entry", "Finding", "Report", "Statistics", "inspect_checkpoint"]
