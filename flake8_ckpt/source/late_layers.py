"""Methods that make layers and weights when they are first needed, by their text."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flake8_ckpt.source.signals import CONSTRUCTORS
from flake8_ckpt.source.signals import own_calls

# `if self.layer is None:`, `if not hasattr(self, "layer"):`, `if not self.is_built:`
LOOK = re.compile(r"if (?<!\wif )(?:not hasattr\(self|self\.\w+ is None|not self\.\w+)")
MAKES = re.compile(r"self\.\w+\s*(?::[^=\n]+)?=\s*(?:(?:torch\.)?nn\.)?(?:[A-Z]\w*\()")
LAYERS = re.compile(r"nn\.(?<!\wnn\.)[A-Z]|Parameter\((?<!\wParameter\()|Buffer\((?<!\wBuffer\()")


def lazy_methods(texts: Mapping[str, str]) -> frozenset[str]:
    """Return the methods, given by their texts, that make layers where a look says so, and who calls them there."""
    later = {name: text for name, text in texts.items() if name not in CONSTRUCTORS}
    looking = {name for name, text in later.items() if "if " in text and LOOK.search(text)}
    if not looking:
        return frozenset()
    makers = {name for name, text in later.items() if _has_layers(text) and MAKES.search(text)}
    calling = {name for name in looking if not makers.isdisjoint(own_calls(later[name]))}
    called = {callee for name in calling for callee in own_calls(later[name])} & makers
    return frozenset(makers & looking | calling | called)


def _has_layers(text: str) -> bool:
    return ("nn." in text or "Parameter(" in text or "Buffer(" in text) and LAYERS.search(text) is not None
