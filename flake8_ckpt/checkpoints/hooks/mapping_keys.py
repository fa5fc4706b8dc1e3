"""The keys that the code of a project puts into mappings or takes out of them, wherever it does."""

from __future__ import annotations

from functools import cached_property

from flake8_ckpt.checkpoints.hooks.values import key_of
from flake8_ckpt.linking.functions import functions_outside_tests
from flake8_ckpt.linking.symbols import Symbols


class MappingKeys:
    """All keys of a project, but those of tests."""

    def __init__(self, symbols: Symbols) -> None:
        self.symbols = symbols

    @cached_property
    def read(self) -> frozenset[str]:
        """Return all keys that some code of the project takes out of a mapping."""
        return frozenset(
            read.key for each in functions_outside_tests(self.symbols) for read in each.function.key_reads
        )

    @cached_property
    def given(self) -> frozenset[str]:
        """Return all keys under which some code of the project puts something into a mapping."""
        functions = functions_outside_tests(self.symbols)
        stores = (store.target for each in functions for store in each.function.stores)
        return frozenset(map(key_of, stores))
