"""A plain list or dict of tensors: Parameters go into an `nn.ParameterList`, constants become buffers one by one."""

from __future__ import annotations

import libcst as cst

from flake8_ckpt.confirm.expressions import last_name
from flake8_ckpt.fixes.attribute_writes import is_self
from flake8_ckpt.fixes.attribute_writes import writes_in
from flake8_ckpt.fixes.constructor import constructor_writes
from flake8_ckpt.fixes.constructor import obstacle_to_registration
from flake8_ckpt.fixes.container_values import kind_of
from flake8_ckpt.fixes.piece import ways_to
from flake8_ckpt.fixes.suggestion import OLDER
from flake8_ckpt.fixes.suggestion import Site
from flake8_ckpt.fixes.suggestion import Suggestion
from flake8_ckpt.fixes.suggestion import after
from flake8_ckpt.fixes.suggestion import before
from flake8_ckpt.fixes.suggestion import one_line
from flake8_ckpt.fixes.torch_names import name_of


def change(site: Site) -> Suggestion:
    """Wrap a list of nothing but Parameters; a ParameterList would make parameters of other tensors."""
    name, imports = name_of(site, "torch.nn.ParameterList")
    writes = constructor_writes(site)
    obstacle = obstacle_to_registration(site, ())
    if obstacle or not writes or not _are_parameters(site):
        return _buffers(site)
    edits = list(imports)
    for write in writes:
        if write.value is not None:
            span = site.span(write.value)
            edits += [before(span, f"{name}("), after(span, ")")]
    note = f"optimizers get them from parameters(), and the state_dict gets keys as '{site.name}.0': {OLDER}"
    return Suggestion(f"make '{site.name}' an nn.ParameterList", "unsafe", note, tuple(edits))


def _are_parameters(site: Site) -> bool:
    """Tell whether the class puts nothing but new Parameters into it, and sets it in the constructor alone."""
    if site.class_def is None or len(writes_in(site.class_def, site.name)) != len(constructor_writes(site)):
        return False
    added = list(_added(site.class_def, site.name))
    for write in constructor_writes(site):
        if write.value is None or kind_of(write.value) != "list":
            return False
        if isinstance(write.value, cst.ListComp):
            added.append(write.value.elt)
        elif isinstance(write.value, (cst.List, cst.Tuple)):
            added += [each.value for each in write.value.elements]
        else:
            return False
    return bool(added) and all(
        isinstance(each, cst.Call) and last_name(each.func) == "Parameter" for each in added
    )


def _added(class_def: cst.ClassDef, name: str) -> list[cst.BaseExpression]:
    """Return what is appended to an attribute."""
    return [
        node.args[-1].value
        for _, node in ways_to(class_def)
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute)
        and is_self(node.func.value, name) and node.args
    ]  # fmt: skip


def _buffers(site: Site) -> Suggestion:
    """Return how each element becomes a buffer: no edit can change all that uses the container."""
    title = f"make each tensor of '{site.name}' a buffer"
    value = site.statement.value if isinstance(site.statement, cst.Assign) else None
    is_dict = site.finding.fix.get("kind") == "dict"
    made = "..." if value is None else one_line(site.code(value))
    made = "..." if made in ("[]", "{}", "()", "list()", "dict()") else made
    loop = f"for key, tensor in {made}.items():" if is_dict else f"for index, tensor in enumerate({made}):"
    index = "key" if is_dict else "index"
    code = f'{loop}\n    self.register_buffer(f"{site.name}_{{{index}}}", tensor)'
    note = f'read them with getattr(self, f"{site.name}_{{{index}}}"); nn.ParameterList would train them'
    return Suggestion(title, "shown", note, code=code)
