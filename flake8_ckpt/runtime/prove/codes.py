"""Which findings running one class can prove, by what there is to show."""

from __future__ import annotations

CHANGED = frozenset("CKP101 CKP104 CKP106 CKP107 CKP108 CKP109 CKP110 CKP207".split())
TRAINED = frozenset("CKP103 CKP105".split())
MOVED = frozenset("CKP102 CKP112".split())
OVERWRITTEN = frozenset(["CKP111"])
PREFIXED = frozenset(["CKP217"])
# What a class leaves out of its own state may be changed by others.
BY_HAND = frozenset(["CKP207"])
# State of a class that saves and loads itself; the finding names it only there.
SAVED = frozenset("CKP204 CKP218".split())
COVERED = CHANGED | TRAINED | MOVED | OVERWRITTEN | PREFIXED | SAVED
