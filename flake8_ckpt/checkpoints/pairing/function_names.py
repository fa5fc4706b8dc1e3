"""What the names of functions say of saving and loading, and which are partners."""

from __future__ import annotations

import re
from functools import cache

from flake8_ckpt.facts.model import FunctionFacts

# `save_checkpoint`, `get_state`, `on_save_checkpoint`; then `load_checkpoint`, `set_state`, `maybe_resume`.
VERBS = re.compile(
    r"^_*(?:(save|dump|write|store|export|serialize|get|pack|collect|create|make|build|on_save)"
    r"|(load|read|restore|resume|import|deserialize|set|unpack|apply|recover|on_load|maybe_load|maybe_resume))(?:_|$)"
)
WRITES = frozenset(
    "save dump write store export serialize get pack collect create make build on_save".split()
)
PAIRED_VERBS = {
    "get": "set",
    "pack": "unpack",
    "collect": "apply",
    "on_save": "on_load",
    "serialize": "deserialize",
}
# Verbs of methods that often are plain accessors: only the name of some state makes them a pair.
ACCESSORS = frozenset("get set pack unpack collect create make build apply".split())
# `get_weights` and `get_normalizer_state` are pairs with `set_...`; `get_name` and `set_name` are not.
STATES = re.compile(r"state|weights?(_|$)|param|stats|checkpoint|ckpt|snapshot|variables|normali[sz]|rms")
# Words that say nothing on what is saved: `save_checkpoint` and `load` are partners.
GENERIC = frozenset(
    "checkpoint checkpoints ckpt state states snapshot training trainer full from to file all it".split()
)
EXACT_PAIRS = {
    "state_dict": "load_state_dict",
    "__getstate__": "__setstate__",
    "_save_to_state_dict": "_load_from_state_dict",
}
# `optim_state_dict`, `training_state`: no verb, and a partner that says what it does with the very same.
NOUNS = re.compile(r"(^|_)state(_dict)?$")
TAKERS = frozenset(["load", "restore", "resume"])
# `to_dict` and `from_dict`, `to_state` and `from_state`: the words between must be the same.
FORMS = re.compile(r"^_*(?:to|from)_(\w*(?:dict|state|json))$")
# What a property gives, its setter is given: the facts of a setter are called so.
SETTER = ".setter"


@cache
def is_hook_name(name: str) -> bool:
    """Tell whether a method may be one of a pair: `state_dict`, `save_x`, `set_weights`."""
    if name in EXACT_PAIRS or name in EXACT_PAIRS.values():
        return True
    if name.endswith(SETTER):
        return STATES.search(name) is not None
    if FORMS.match(name):
        return True
    match = VERBS.match(name)
    if match is None:
        return NOUNS.search(name) is not None
    verb = match[1] or match[2]
    return verb not in ACCESSORS or STATES.search(name) is not None


def name_to_call(method: FunctionFacts, owner: str) -> str:
    """Return the name under which a method is called: that of the class for its constructor."""
    return re.split("[:.]", owner)[-1] if method.name == "__init__" else method.name


@cache
def verb_and_stem(name: str) -> tuple[str, str]:
    """Return the verb that a function's name begins with, and what is left without the generic words."""
    match = VERBS.match(name)
    if match is None:
        return "", ""
    rest = [word for word in name[match.end() :].strip("_").split("_") if word and word not in GENERIC]
    return match[1] or match[2], "_".join(rest)


@cache
def are_partners(writer: str, reader: str) -> bool:
    """Tell whether two functions are a pair by their names: `save_x` and `load_x`, `get_x` and `set_x`."""
    if reader.endswith(SETTER):
        return reader == f"{writer}{SETTER}" and STATES.search(writer) is not None
    if writer in EXACT_PAIRS:
        return EXACT_PAIRS[writer] == reader
    if (writer, reader) == ("get_state_dict", "load_state_dict"):
        return True
    if not is_hook_name(writer) or not is_hook_name(reader):
        return False
    one_form, other_form = FORMS.match(writer), FORMS.match(reader)
    if one_form is not None or other_form is not None:
        is_pair = writer.lstrip("_").startswith("to_") and reader.lstrip("_").startswith("from_")
        return is_pair and one_form is not None and other_form is not None and one_form[1] == other_form[1]
    if VERBS.match(writer) is None:
        verb, _, named = reader.lstrip("_").partition("_")
        return verb in TAKERS and named == writer.lstrip("_")
    one, stem = verb_and_stem(writer)
    other, rest = verb_and_stem(reader)
    if not one or not other or one not in WRITES or other in WRITES:
        return False
    if (one in PAIRED_VERBS or other in PAIRED_VERBS.values()) and PAIRED_VERBS.get(one) != other:
        return False
    return stem == rest
