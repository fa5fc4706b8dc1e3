"""The attributes of an object that its class saves, or that its class restores."""

from __future__ import annotations

import re

from flake8_ckpt.checkpoints.hooks.values import hands_over_self
from flake8_ckpt.checkpoints.pairing.function_names import are_partners
from flake8_ckpt.checkpoints.pairing.function_names import is_hook_name
from flake8_ckpt.facts.evaluator.frame import LOOKS
from flake8_ckpt.facts.model import MARKS
from flake8_ckpt.frameworks.torch_methods import SAVERS
from flake8_ckpt.losses.state_dicts.own_state import OwnState
from flake8_ckpt.losses.state_dicts.visible_methods import VisibleMethods

# `load_from`, `maybe_resume`, `set_state`: what they set is restored.
LOADERS = re.compile(r"(^|_)(load|restore|resume|set_state|setstate)(_|$)")


def keeps(name: str) -> bool:
    """Tell whether a method saves or restores, by its name."""
    return SAVERS.search(name) is not None or LOADERS.search(name) is not None


def restores_all(state: OwnState, methods: VisibleMethods) -> bool:
    """Tell whether the load may set any attribute: `vars(self).update(state)`, `setattr(self, key, value)`."""
    for method in methods.run(state.reader.name):
        if any(use.attr == "__dict__" for use in method.uses):
            return True
        if any(hands_over_self(site.call) for site in method.calls):
            return True
        if any(each.kind == "setattr" for each in method.registers):
            return True
    return False


def kept_attributes(state: OwnState, methods: VisibleMethods) -> set[str]:
    """Return the attributes that saving takes, and those that restoring sets: to be read by a load keeps nothing."""
    names = {method.name for _, method in methods.all}
    hooks = sorted(filter(is_hook_name, names))
    pairs = {(one, other) for one in hooks for other in hooks if are_partners(one, other)}
    loads = {name for name in names if LOADERS.search(name) or name == state.reader.name}
    loads |= {reader for _, reader in pairs}
    saves = {name for name in names - loads if SAVERS.search(name) or name == state.writer.name}
    saves |= {writer for writer, _ in pairs}
    kept = set(state.given)
    for method in methods.run(*saves):
        kept |= {use.attr for use in method.uses if not set(use.how) <= LOOKS | MARKS}
        kept |= {write.attr for write in method.writes}
    for method in methods.run(*loads):
        kept |= {use.attr for use in method.uses if any(how.startswith(".") for how in use.how)}
        kept |= {write.attr for write in method.writes}
    return kept
