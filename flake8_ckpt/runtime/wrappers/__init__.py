"""Environment wrappers whose statistics live in modules of the policy, so that every checkpoint holds them.

Neither framework is imported before its wrapper is asked for.
"""

from __future__ import annotations
