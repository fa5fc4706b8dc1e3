"""What a constructor must have done before torch takes a buffer, a parameter or a module."""

from __future__ import annotations

import re
from collections.abc import Sequence

import libcst as cst

from flake8_ckpt.confirm.expressions import last_name
from flake8_ckpt.fixes.attribute_writes import WriteNode
from flake8_ckpt.fixes.attribute_writes import class_names
from flake8_ckpt.fixes.attribute_writes import writes_in
from flake8_ckpt.fixes.piece import Path
from flake8_ckpt.fixes.piece import ways_to
from flake8_ckpt.fixes.suggestion import Site

Kinds = tuple[type[cst.CSTNode], ...]
# Such methods decide what `self.x` is, and expect it among the plain attributes.
LOOKUPS = ("__getattr__", "__getattribute__", "__setattr__", "__getstate__")
REMARK = re.compile(r"#.*\bbuffers?\b", re.IGNORECASE)


def constructor_writes(site: Site) -> list[WriteNode]:
    """Return the statements of the constructor that set the attribute, in order."""
    if site.class_def is None:
        return []
    return [each for each in writes_in(site.class_def, site.name) if each.method == "__init__"]


def first_writes(site: Site) -> list[WriteNode]:
    """Return what must register the attribute: the first write if it always runs before the others, else all."""
    first, *others = constructor_writes(site)
    return [first] if all(map(first.comes_before, others)) else [first, *others]


def obstacle_to_registration(site: Site, refused: Kinds) -> str:
    """Return why a change of what sets an attribute would not work, or an empty string."""
    class_def = site.class_def
    if class_def is None or not constructor_writes(site):
        method = site.function.name.value if site.function is not None else "another class"
        return f"{method}() sets it, not the constructor: register it there, and let {method}() change it"
    if site.name.startswith("__") and not site.name.endswith("__"):
        return "its name is private to the class, so the key would be another one"
    names = set(class_names(class_def))
    if site.name in names:
        return f"the class has '{site.name}' already, so torch would refuse the name: remove that first"
    lookup = next((each for each in LOOKUPS if each in names), "")
    if lookup:
        return f"the class has a {lookup}() of its own, which may not find it then"
    return next((each for write in first_writes(site) if (each := _obstacle(site, write, refused))), "")


def _obstacle(site: Site, write: WriteNode, refused: Kinds) -> str:
    line = site.span(write.statement).line
    if write.value is None:
        return f"line {line} sets more than '{site.name}' alone"
    if isinstance(write.value, refused):
        return f"line {line} sets '{site.name}' to what is no tensor"
    if not is_after_super(write):
        return f"line {line} comes before super().__init__(): move it below that first"
    if is_before_another(site, write):
        return f"a base class is set up again below line {line}, which forgets what is registered before"
    if REMARK.search("\n".join(_remarks(site, write))):
        return "the comment there speaks of buffers"
    return ""


def _remarks(site: Site, write: WriteNode) -> Sequence[str]:
    """Return the lines of a statement and the comments right above it."""
    span, lines = site.span(write.statement), site.piece.source.lines
    first = span.line
    while first > 1 and lines.text(first - 1).lstrip().startswith("#"):
        first -= 1
    return lines.lines[first - 1 : span.end_line]


def is_after_super(write: WriteNode) -> bool:
    """Tell whether the constructor around a write has called that of its base class for sure."""
    constructor = write.function
    if not isinstance(constructor, cst.FunctionDef):
        return False
    calls = [path for path, node in ways_to(constructor) if _is_base_constructor(node)]
    return any(_stands_before(path, write) for path in calls)


def is_before_another(site: Site, write: WriteNode) -> bool:
    """Tell whether a base class's constructor is called below a write: that of `nn.Module` drops all buffers."""
    if write.function is None:
        return False
    calls = [node for _, node in ways_to(write.function) if _is_base_constructor(node)]
    return any(site.span(each) > site.span(write.statement) for each in calls)


def _is_base_constructor(call: cst.CSTNode) -> bool:
    """Tell whether a node is `super().__init__(...)` or `Base.__init__(self, ...)`."""
    if (
        not isinstance(call, cst.Call)
        or not isinstance(call.func, cst.Attribute)
        or call.func.attr.value != "__init__"
    ):
        return False
    owner = call.func.value
    if isinstance(owner, cst.Call):
        return last_name(owner.func) == "super"
    return bool(call.args) and last_name(call.args[0].value) == "self"


def _stands_before(path: Path, write: WriteNode) -> bool:
    """Tell whether what a path leads to always runs before a write: in a block around it, further above."""
    index = max((i for i, each in enumerate(path) if isinstance(each, cst.SimpleStatementLine)), default=0)
    block, line = path[index - 1], path[index]
    place = next((index for index, each in enumerate(write.path) if each is block), -1)
    if place < 0 or not isinstance(block, cst.IndentedBlock):
        return False
    order = {id(each): index for index, each in enumerate(block.body)}
    return order[id(line)] < order[id(write.path[place + 1])]
