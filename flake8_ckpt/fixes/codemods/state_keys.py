"""Keys of a `state_dict` override get the prefix, and a best metric its place in the checkpoint."""

from __future__ import annotations

import libcst as cst

from flake8_ckpt.confirm.expressions import text_of
from flake8_ckpt.findings import Edit
from flake8_ckpt.fixes.piece import ways_to
from flake8_ckpt.fixes.suggestion import Site
from flake8_ckpt.fixes.suggestion import Suggestion


def add_prefix(site: Site) -> Suggestion:
    """Store a key under `prefix + key`, where no load of the class reads it without."""
    key = site.finding.fix.get("key")
    title = f"store '{key}' under the prefix"
    code = f'prefix + "{key}"'
    function, owner = site.function, site.class_def
    names = [] if function is None else [*function.params.params, *function.params.kwonly_params]
    if "prefix" not in {each.name.value for each in names}:
        return Suggestion(title, "shown", "let state_dict() take the prefix by its name first", code=code)
    written = [node for _, node in ways_to(site.statement) if _is_key(node, key)]
    others = [node for _, node in ways_to(owner) if _is_key(node, key)] if owner is not None else []
    if len(written) != 1 or len(others) != 1:
        return Suggestion(title, "shown", "and read it under the prefix as well", code=code)
    note = f"within another module the key gets that one's name before it; alone it stays '{key}'"
    span = site.span(written[0])
    return Suggestion(title, "unsafe", note, (Edit(span, f"prefix + {site.code(written[0])}"),))


def _is_key(node: cst.CSTNode, key: str) -> bool:
    return isinstance(node, cst.SimpleString) and text_of(node) == key


def save_metric(site: Site) -> Suggestion:
    """Show how a best metric gets into the checkpoint and out of it again."""
    name = site.finding.fix.get("name")
    key = name.rpartition(".")[2]
    code = (
        f'"{key}": {name},  # where the checkpoint is made\n{name} = checkpoint["{key}"]  # where it is read'
    )
    return Suggestion(f"save and restore '{name}'", "shown", "files written before lack the key", code=code)
