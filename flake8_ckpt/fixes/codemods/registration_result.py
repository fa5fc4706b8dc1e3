"""`self.x = self.register_buffer("x", ...)` becomes the call alone."""

from __future__ import annotations

import libcst as cst

from flake8_ckpt.fixes.arguments import argument
from flake8_ckpt.fixes.suggestion import OLDER
from flake8_ckpt.fixes.suggestion import Site
from flake8_ckpt.fixes.suggestion import Suggestion
from flake8_ckpt.fixes.suggestion import between


def change(site: Site) -> Suggestion:
    """Remove the assignment, whose value is always None."""
    title = f"remove the assignment to 'self.{site.name}'"
    statement = site.statement
    if not isinstance(statement, (cst.Assign, cst.AnnAssign)) or not isinstance(statement.value, cst.Call):
        return Suggestion(title, "shown", "the statement does more than that")
    if isinstance(statement, cst.Assign) and len(statement.targets) > 1:
        return Suggestion(title, "shown", "it sets something else as well")
    call = statement.value
    edit = between(site.span(statement), site.span(call), "")
    given = argument(call, "persistent", 2)
    if given is not None and site.code(given.value) == "False":
        return Suggestion(title, "safe", "", (edit,))
    return Suggestion(title, "unsafe", f"adds the key '{site.name}' to the state_dict: {OLDER}", (edit,))
