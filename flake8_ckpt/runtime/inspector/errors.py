"""The one error of the inspector: a file that it refuses, in one line."""

from __future__ import annotations


class CheckpointError(ValueError):
    """A file is no checkpoint, is damaged, or asks for more than the inspector gives.

    The message is one line and does not name the file, which whoever catches it knows.
    """
