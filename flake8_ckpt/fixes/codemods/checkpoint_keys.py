"""Keys on which the two ends of a checkpoint do not agree: what one of them lacks is added in the words of the other.

The change is made where both ends are written out in the same way, in one function or as `self.x` in one class.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from flake8_ckpt.confirm.expressions import text_of
from flake8_ckpt.findings import Edit
from flake8_ckpt.fixes.payload_code import Restore
from flake8_ckpt.fixes.payload_code import Scope
from flake8_ckpt.fixes.payload_code import lines_after
from flake8_ckpt.fixes.payload_code import restores_in
from flake8_ckpt.fixes.payload_code import value_of
from flake8_ckpt.fixes.payload_code import with_entry
from flake8_ckpt.fixes.payload_code import written_dict
from flake8_ckpt.fixes.piece import ways_to
from flake8_ckpt.fixes.suggestion import Site
from flake8_ckpt.fixes.suggestion import Suggestion
from flake8_ckpt.fixes.suggestion import one_line

NEW_FILES = "files written before still lack it"
STATE = ".state_dict()"


def save_restored(site: Site) -> Suggestion:
    """Add to a save what a load restores: the finding stands at the save, the loads are related places."""
    keys, holder = site.finding.fix.get("keys").split(","), site.finding.fix.get("holder")
    save = Scope.of(site)
    found = {
        each.key: (scope, each) for scope in _related(site) for each in restores_in(scope) if each.key in keys
    }
    entries = [f'"{key}": {found[key][1].saved if key in found else "..."}' for key in keys]
    if holder:
        code = f"{holder}={{{', '.join(entries)}}}"
        return Suggestion(f"save {_listed(keys)}", "shown", f"pass it as '{holder}'", code=code)
    code = "\n".join(f"{each}," for each in entries)
    payload = written_dict(save)
    if payload is None or len(found) < len(keys):
        return Suggestion(f"save {_listed(keys)}", "shown", "add it to what is saved here", code=code)
    if not all(each.is_plain and scope.shares_names(save, each.into) for scope, each in found.values()):
        return Suggestion(f"save {_listed(keys)}", "shown", "with the names that hold it here", code=code)
    edits = tuple(with_entry(save, payload, each) for each in entries)
    return Suggestion(f"save {_listed(keys)}", "unsafe", f"adds to the file; {NEW_FILES}", edits)


def read_similar(site: Site) -> Suggestion:
    """Read the key that is saved instead of one that is like it; the finding stands at the first read."""
    key, similar = site.finding.fix.get("key"), site.finding.fix.get("similar")
    scope = Scope.at(site, site.finding.path, site.finding.position)
    if "." in key:
        return Suggestion(f"write '{key}'", "shown", f"nothing writes it; {site.finding.path} reads it here")
    if not similar or scope is None:
        return _missing_key(site, key, scope)
    title = f"read '{similar}', which is saved, instead of '{key}'"
    strings = [
        node for _, node in ways_to(scope.root) if isinstance(node, cst.SimpleString) and text_of(node) == key
    ]
    edits = tuple(_replaced(scope, each, similar) for each in strings)
    if not edits:
        return Suggestion(title, "shown", "the key is put together here")
    note = f"files that hold '{key}' are no longer read, if there are any"
    return Suggestion(title, "unsafe", note, edits)


def _missing_key(site: Site, key: str, scope: Scope | None) -> Suggestion:
    """Show what the save would have to write."""
    restores = [] if scope is None else [each for each in restores_in(scope) if each.key == key]
    saved = restores[0].saved if restores else "..."
    where = f" at line {site.finding.related[0].position.line}" if site.finding.related else ""
    return Suggestion(f"save '{key}'", "shown", f"add it to what is saved{where}", code=f'"{key}": {saved},')


def restore_saved(site: Site) -> Suggestion:
    """Add to a load what the save writes: the finding stands at the save, the load is a related place."""
    key = site.finding.fix.get("key")
    title = f"restore '{key}'"
    if "." in key:
        return Suggestion(f"read '{key}'", "shown", "where what is saved beside it is read")
    save, load = Scope.of(site), next(_related(site), None)
    value = value_of(save, key)
    others = [each for each in restores_in(load) if each.key != key] if load is not None else []
    payload = others[-1].payload if others else "checkpoint"
    code = _restoring(value, f'{payload}["{key}"]')
    lines = [f'if "{key}" in {payload}:', f"    {code}"] if save.is_conditional else [code]
    note = "where the other keys are read"
    if load is None or not others or not code:
        return Suggestion(title, "shown", note, code=code and "\n".join(lines) or f'... = {payload}["{key}"]')
    edit = lines_after(load, _last_in_block(others).path, *lines)
    if edit is None or not load.shares_names(save, value.removesuffix(STATE)) or load.root is save.root:
        return Suggestion(title, "shown", note, code="\n".join(lines))
    note = "a resumed run goes on with it" + (
        "" if save.is_conditional else "; a file without the key is refused"
    )
    return Suggestion(title, "unsafe", note, (edit,))


def add_object(site: Site) -> Suggestion:
    """Show how an object gets into the checkpoint and out of it again."""
    name, kind = site.finding.fix.get("name"), site.finding.fix.get("kind")
    key = name.rpartition(".")[2].strip("_") or name
    is_plain = kind in ("counter", "number", "tensor")
    saved = name if is_plain else f"{name}{STATE}"
    code = f'"{key}": {saved},  # where the checkpoint is made\n' + _restoring(saved, f'checkpoint["{key}"]')
    if kind == "tensor":
        code = code.replace(f'{name} = checkpoint["{key}"]', f'{name}.data.copy_(checkpoint["{key}"])')
    title = f"save and restore '{name}'"
    return Suggestion(title, "shown", "files written before lack the key", code=f"{code}  # where it is read")


def _restoring(value: str, taken: str) -> str:
    """Return the statement that restores what a save writes, or an empty string where that is not plain."""
    target = value.removesuffix(STATE)
    if not target.replace(".", "").replace("_", "").isalnum():
        return ""
    return f"{target}.load_state_dict({taken})" if value.endswith(STATE) else f"{target} = {taken}"


def _last_in_block(restores: list[Restore]) -> Restore:
    """Return the last of some statements that stand in the block of the first."""
    block = restores[0].path[-3]
    return [each for each in restores if each.path[-3] is block][-1]


def _related(site: Site) -> Iterator[Scope]:
    for each in site.finding.related:
        scope = Scope.at(site, each.path, each.position)
        if scope is not None:
            yield scope


def _replaced(scope: Scope, node: cst.SimpleString, text: str) -> Edit:
    span = scope.piece.span(node)
    return Edit(span, f"{node.prefix}{node.quote}{text}{node.quote}")


def _listed(keys: list[str]) -> str:
    return ", ".join(f"'{one_line(each)}'" for each in keys)
