"""The round-trip verifier: does what a checkpoint brings back go on like what was saved?"""

from __future__ import annotations

from flake8_ckpt.runtime.verifier.audit import Unsaved
from flake8_ckpt.runtime.verifier.audit import audit
from flake8_ckpt.runtime.verifier.compatible import Compatible
from flake8_ckpt.runtime.verifier.compatible import IncompatibleCheckpoint
from flake8_ckpt.runtime.verifier.compatible import load_compatible
from flake8_ckpt.runtime.verifier.problem import Problem
from flake8_ckpt.runtime.verifier.report import Report
from flake8_ckpt.runtime.verifier.report import RoundtripError
from flake8_ckpt.runtime.verifier.roundtrip import assert_roundtrip
from flake8_ckpt.runtime.verifier.roundtrip import verify_roundtrip

__all__ = [
    "Compatible",
    "IncompatibleCheckpoint",
    "Problem",
    "Report",
    "RoundtripError",
    "Unsaved",
    "assert_roundtrip",
    "audit",
    "load_compatible",
    "verify_roundtrip",
]
