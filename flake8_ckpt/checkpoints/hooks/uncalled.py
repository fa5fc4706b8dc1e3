"""Hooks that a class defines and its framework never calls."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import called_name
from flake8_ckpt.linking.functions import functions_outside_tests
from flake8_ckpt.linking.functions import is_test
from flake8_ckpt.linking.functions import method_ref

# Lightning 2 saves a data module by its `state_dict`, and calls these two of modules and callbacks alone.
DATA_MODULE = re.compile(r"(^|\.)LightningDataModule$")
HOOKS = ("on_save_checkpoint", "on_load_checkpoint")


def uncalled_hooks(hierarchy: Hierarchy) -> Iterator[FunctionRef]:
    """Yield the first hook of each data module that neither Lightning nor the project calls."""
    classes = hierarchy.symbols.classes
    found = {
        class_id: hooks
        for class_id, facts in classes.items()
        if not is_test(class_id.partition(":")[0])
        and (hooks := [name for name in HOOKS if name in hierarchy.methods(class_id)])
        and any(DATA_MODULE.search(each) for each in hierarchy.ancestors(class_id) if each not in classes)
    }
    called = _called(hierarchy) if found else frozenset()
    for class_id, hooks in found.items():
        if called.isdisjoint(hooks):
            yield method_ref(class_id, hierarchy.methods(class_id)[hooks[0]], class_id)


def _called(hierarchy: Hierarchy) -> frozenset[str]:
    """Return the last names of all that code outside tests calls."""
    units = functions_outside_tests(hierarchy.symbols)
    return frozenset(called_name(site.call) for unit in units for site in unit.function.calls)
