"""Statements that load: what their report says, and what they bind behind the back of an optimizer."""

from __future__ import annotations

import libcst as cst

from flake8_ckpt.findings import Edit
from flake8_ckpt.findings import Position
from flake8_ckpt.fixes.arguments import call_in
from flake8_ckpt.fixes.payload_code import Scope
from flake8_ckpt.fixes.payload_code import lines_after
from flake8_ckpt.fixes.piece import ways_to
from flake8_ckpt.fixes.suggestion import Site
from flake8_ckpt.fixes.suggestion import Suggestion
from flake8_ckpt.fixes.suggestion import before
from flake8_ckpt.fixes.suggestion import one_line

REPORTS = ("report", "load_report", "incompatible_keys")


def look_at_report(site: Site) -> Suggestion:
    """Bind what a load that is not strict returns, and warn of the keys that do not fit."""
    title = "warn of the keys that do not fit"
    call = call_in(site.statement, "load_state_dict")
    scope = Scope.of(site)
    names = {node.value for _, node in ways_to(scope.root) if isinstance(node, cst.Name)}
    name = next((each for each in REPORTS if each not in names), "report_of_load")
    lines = [
        f"if {name}.missing_keys or {name}.unexpected_keys:",
        f'    warnings.warn(f"not all keys fit: {{{name}}}", stacklevel=2)',
    ]
    code = "\n".join([f"{name} = {one_line(site.code(call)) if call else '...'}", *lines])
    is_bare = isinstance(site.statement, cst.Expr) and site.statement.value is call
    below = lines_after(scope, scope.path, *lines) if is_bare else None
    if below is None:
        return Suggestion(title, "shown", "the load is part of a larger statement", code=code)
    edits = (before(site.span(site.statement), f"{name} = "), below, *_import(site))
    return Suggestion(
        title, "unsafe", "a load_state_dict() that is not torch's own may return nothing", edits
    )


def _import(site: Site) -> tuple[Edit, ...]:
    """Return the import of `warnings`, before the first import but those from the future."""
    tree = site.piece.source.tree
    lines = site.piece.source.lines
    if any(line.startswith("import warnings") for line in lines.lines):
        return ()
    for node in tree.body:
        words = lines.text(node.lineno).split()
        if words[:1] in (["import"], ["from"]) and words[1] != "__future__":
            return (Edit(Position(node.lineno, 0, node.lineno, 0), "import warnings\n"),)
    return ()


def fill_in_place(site: Site) -> Suggestion:
    """Copy a loaded value into the tensor or module that the optimizer trains."""
    statement = site.statement
    title = f"fill '{site.name or 'it'}' in place"
    if not isinstance(statement, cst.Assign) or len(statement.targets) != 1:
        return Suggestion(title, "shown", "or build the optimizer again after the load")
    target, value = site.code(statement.targets[0].target), site.code(statement.value)
    if site.finding.fix.get("kind") == "module":
        code = f"{target}.load_state_dict({one_line(value)}.state_dict())"
        return Suggestion(title, "shown", "or build the optimizer again after the load", code=code)
    plain = isinstance(statement.value, (cst.Subscript, cst.Name, cst.Attribute))
    code = f"{target}.data.copy_({value if plain else one_line(value)})"
    if not plain:
        return Suggestion(title, "shown", "or build the optimizer again after the load", code=code)
    note = "the optimizer then trains what was loaded; a value of another shape is refused"
    return Suggestion(title, "unsafe", note, (Edit(site.span(statement), code),))


def save_state(site: Site) -> Suggestion:
    """Show how a scheduler is restored by its state."""
    statement = site.statement
    target = (
        site.code(statement.targets[0].target) if isinstance(statement, cst.Assign) else f"self.{site.name}"
    )
    value = one_line(site.code(statement.value)) if isinstance(statement, cst.Assign) else "..."
    code = f"{target}.load_state_dict({value})"
    return Suggestion("load its state", "shown", f"with {target}.state_dict() in the save", code=code)
