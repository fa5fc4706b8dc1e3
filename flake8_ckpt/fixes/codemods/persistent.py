"""`persistent=False` is taken off a buffer that a checkpoint must hold."""

from __future__ import annotations

from flake8_ckpt.fixes.arguments import argument
from flake8_ckpt.fixes.arguments import call_in
from flake8_ckpt.fixes.arguments import without
from flake8_ckpt.fixes.suggestion import OLDER
from flake8_ckpt.fixes.suggestion import Site
from flake8_ckpt.fixes.suggestion import Suggestion


def change(site: Site) -> Suggestion:
    """Remove the argument, which is True by default."""
    title = f"save the buffer '{site.name}'"
    call = call_in(site.statement, "register_buffer", "Buffer")
    given = argument(call, "persistent", 2) if call is not None else None
    if call is None or given is None or site.code(given.value) != "False":
        return Suggestion(title, "shown", "its registration does not say persistent=False itself")
    note = f"adds the key '{site.name}' to the state_dict: {OLDER}"
    return Suggestion(title, "unsafe", note, (without(site, call, given),))
