"""The vocabulary of the records, by library, kind of name and meaning. A user's file adds nothing to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from flake8_ckpt.frameworks.packed import packed_records
from flake8_ckpt.frameworks.records import Named
from flake8_ckpt.frameworks.records import Vocabulary


def names_in_order(library: str, of: Named, says: str) -> tuple[str, ...]:
    """Return the names of a library that mean something, as their record lists them; raise KeyError for none."""
    return _records()[library, of, says].names


def names(library: str, of: Named, says: str) -> frozenset[str]:
    """Return the names of a library that mean something; raise KeyError for none."""
    return frozenset(names_in_order(library, of, says))


def pattern(library: str, of: Named, says: str) -> re.Pattern[str]:
    """Return the pattern of the names of a library that mean something; raise KeyError for none."""
    return re.compile(_records()[library, of, says].pattern)


@cache
def _records() -> Mapping[tuple[str, Named, str], Vocabulary]:
    return {(each.library, each.of, each.says): each for each in packed_records().vocabulary}
