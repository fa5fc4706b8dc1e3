"""Text that may change an attribute of `self` under another name: a local, a view, an argument."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from flake8_ckpt.source.method_writes import Write
from flake8_ckpt.source.signals import CONSTRUCTORS

# `mean.mul_(0.9)`, `self.queue[0].copy_(key)`, `self.mean.view(-1).add_(x)`; not `nn.init.zeros_(weight)`.
INPLACE_CALL = re.compile(r"(?<!init)\.\w*[a-z0-9]_\(")
# `mean[0] = x` and `mean[:] += x` of a local, `self.mean.data = x`.
ITEM_OR_DATA = re.compile(r"^[ \t]*[\w.]+(?:\[[^\n]*\]|\.data)[ \t]*[-+*/@|&^]?=(?!=)", re.MULTILINE)
# `update_average(self.mean, x)` and `F.batch_norm(x, self.mean, self.var)`: an attribute as an argument.
STATEMENT = re.compile(r"^[ \t]*[\w.]+\([^\n]*self\.\w+[ \t]*[,)]", re.MULTILINE)
# `self.register_buffer("mean", ...)`, `self.mean = nn.Buffer(...)`: what methods change by plain assignments.
REGISTERED = re.compile(
    r"register_buffer\(\s*(?:name\s*=\s*)?[\"'](\w+)[\"']|self\.(\w+)\s*=\s*(?:nn\.|torch\.nn\.)?Buffer\("
)
# `old[:] = new`, `old[...] += new`.
WHOLE = re.compile(r"^[ \t]*\w+\[(?::|\.\.\.)\][ \t]*[-+*/]?=(?!=)", re.MULTILINE)
MAX_FILLER = 1500


def may_change_attributes(text: str) -> bool:
    """Tell whether a method may change attributes that it does not assign, or call what does so in training only."""
    if "self.training" in text or "_(" in text and INPLACE_CALL.search(text) is not None:
        return True
    return ITEM_OR_DATA.search(text) is not None or STATEMENT.search(text) is not None or "_norm(" in text


def registered_in(text: str) -> set[str]:
    """Return the names of the buffers that a text registers."""
    if "uffer" not in text:
        return set()
    return {one or other for one, other in REGISTERED.findall(text)}


def set_beside(name: str, text: str, writes: Iterable[Write], buffers: frozenset[str]) -> list[str]:
    """Return what a method other than the constructor sets where it sets or registers a buffer too."""
    if name in CONSTRUCTORS or not buffers:
        return []
    written = [attr for attr, value, _ in writes if not isinstance(value, ast.Constant)]
    return written if "register_buffer" in text or not buffers.isdisjoint(written) else []


def may_fill_arguments(text: str) -> bool:
    """Tell whether a short function may change what it is given."""
    if len(text) > MAX_FILLER:
        return False
    if "_(" in text and INPLACE_CALL.search(text) is not None:
        return True
    return ("[:]" in text or "[...]" in text) and WHOLE.search(text) is not None
