"""`self.x = tensor` becomes `self.register_buffer("x", tensor)`, or `self.x = nn.Buffer(tensor)`."""

from __future__ import annotations

import re
from collections.abc import Sequence

import libcst as cst

from flake8_ckpt.findings import Edit
from flake8_ckpt.fixes.annotations import annotation_at_class
from flake8_ckpt.fixes.attribute_writes import WriteNode
from flake8_ckpt.fixes.constant_safety import risk_of_constant
from flake8_ckpt.fixes.constructor import first_writes
from flake8_ckpt.fixes.constructor import obstacle_to_registration
from flake8_ckpt.fixes.suggestion import OLDER
from flake8_ckpt.fixes.suggestion import Site
from flake8_ckpt.fixes.suggestion import Suggestion
from flake8_ckpt.fixes.suggestion import after
from flake8_ckpt.fixes.suggestion import between
from flake8_ckpt.fixes.suggestion import one_line
from flake8_ckpt.fixes.torch_names import name_of

BUFFER = re.compile(r"\bBuffer\(")
# What torch does not take for a buffer; None it does.
NO_TENSORS = (
    cst.List,
    cst.Tuple,
    cst.Dict,
    cst.Set,
    cst.Integer,
    cst.Float,
    cst.SimpleString,
    cst.Comparison,
)


def change(site: Site) -> Suggestion:
    """Register a tensor where the constructor first sets it."""
    title = f"make '{site.name}' a buffer{'' if _is_saved(site) else ' that is not saved'}"
    obstacle = obstacle_to_registration(site, NO_TENSORS)
    if obstacle:
        return Suggestion(title, "shown", obstacle, code=_example(site))
    writes = first_writes(site)
    edits = tuple(edit for each in writes for edit in _registration(site, each))
    fix = site.finding.fix
    if fix.safety == "shown":
        return Suggestion(title, "shown", fix.reason, edits, _example(site))
    if _is_saved(site):
        return Suggestion(title, "unsafe", f"adds the key '{site.name}' to the state_dict: {OLDER}", edits)
    risk = risk_of_constant(site) or fix.reason
    return Suggestion(title, "unsafe" if risk else "safe", risk, edits)


def _is_saved(site: Site) -> bool:
    return site.finding.fix.get("persistent") != "no"


def _registration(site: Site, write: WriteNode) -> Sequence[Edit]:
    value = write.value
    if value is None:
        return ()
    span, statement = site.span(value), site.span(write.statement)
    more = "" if _is_saved(site) else ", persistent=False"
    is_none = isinstance(value, cst.Name) and value.value == "None"
    # `nn.Buffer(None)` is an empty tensor.
    if not _is_object(site) or is_none:
        head = between(statement, span, f'self.register_buffer("{site.name}", ')
        return [*annotation_at_class(site, write), head, after(span, f"{more})")]
    buffer, imports = name_of(site, "torch.nn.Buffer")
    return [*imports, between(span, span, f"{buffer}("), after(span, f"{more})")]


def _is_object(site: Site) -> bool:
    """Tell whether a buffer is to be an `nn.Buffer`."""
    if site.style == "auto":
        return BUFFER.search(site.piece.source.text) is not None
    return site.style == "nn.Buffer"


def _example(site: Site) -> str:
    """Return the registration of what the finding's own statement sets, for the reader."""
    statement = site.statement
    value = statement.value if isinstance(statement, (cst.Assign, cst.AnnAssign)) else None
    made = "..." if value is None else one_line(site.code(value))
    more = "" if _is_saved(site) else ", persistent=False"
    return f'self.register_buffer("{site.name}", {made}{more})'
