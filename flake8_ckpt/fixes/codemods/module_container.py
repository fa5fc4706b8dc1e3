"""A plain list or dict of modules becomes an `nn.ModuleList` or `nn.ModuleDict`."""

from __future__ import annotations

import libcst as cst

from flake8_ckpt.fixes.attribute_writes import WriteNode
from flake8_ckpt.fixes.attribute_writes import writes_in
from flake8_ckpt.fixes.constructor import constructor_writes
from flake8_ckpt.fixes.constructor import obstacle_to_registration
from flake8_ckpt.fixes.container_values import kind_of
from flake8_ckpt.fixes.container_values import obstacle_of_value
from flake8_ckpt.fixes.container_values import obstacles_of_uses
from flake8_ckpt.fixes.suggestion import OLDER
from flake8_ckpt.fixes.suggestion import Site
from flake8_ckpt.fixes.suggestion import Suggestion
from flake8_ckpt.fixes.suggestion import after
from flake8_ckpt.fixes.suggestion import before
from flake8_ckpt.fixes.torch_names import name_of

NO_MODULES = (cst.Integer, cst.Float, cst.SimpleString, cst.Lambda)


def change(site: Site) -> Suggestion:
    """Wrap each container that is assigned to the attribute."""
    kind = "dict" if site.finding.fix.get("kind") == "dict" else "list"
    container = "ModuleDict" if kind == "dict" else "ModuleList"
    title = f"make '{site.name}' an nn.{container}"
    name, imports = name_of(site, f"torch.nn.{container}")
    obstacle = site.finding.fix.reason or _obstacle(site, kind)
    if obstacle:
        return Suggestion(title, "shown", obstacle, code=f"self.{site.name} = {name}(...)")
    edits = list(imports)
    for write in constructor_writes(site):
        if write.value is not None:
            span = site.span(write.value)
            edits += [before(span, f"{name}("), after(span, ")")]
    prefix = f"{site.name}.<key>." if kind == "dict" else f"{site.name}.0."
    note = f"its parameters are trained now, with keys as '{prefix}weight' in the state_dict: {OLDER}"
    return Suggestion(title, "unsafe", note, tuple(edits))


def _obstacle(site: Site, kind: str) -> str:
    obstacle = obstacle_to_registration(site, NO_MODULES)
    if obstacle or site.class_def is None:
        return obstacle
    writes = writes_in(site.class_def, site.name)
    later = next((each for each in writes if each.method != "__init__"), None)
    if later is not None:
        return f"{later.method}() sets it to a plain {kind} again, which torch refuses then"
    for write in constructor_writes(site):
        obstacle = _obstacle_of_write(site, write, kind)
        if obstacle:
            return obstacle
    return next(obstacles_of_uses(site.class_def, site.name, kind), "")


def _obstacle_of_write(site: Site, write: WriteNode, kind: str) -> str:
    line = site.span(write.statement).line
    if isinstance(write.statement, cst.AugAssign):
        return ""
    if write.value is None or kind_of(write.value) != kind:
        return f"line {line} sets it to what is no {kind} as it stands"
    return obstacle_of_value(write.value)
