"""Annotations as values: what an object of the annotated type would be."""

from __future__ import annotations

import ast

from flake8_ckpt.facts import values as v
from flake8_ckpt.facts.names import Names
from flake8_ckpt.facts.torch_calls import instance_of
from flake8_ckpt.source.tree import dotted

NUMBERS = frozenset(
    "int float bool str complex bytes torch.dtype torch.device torch.Size numbers.Number".split()
)
KINDS: dict[str, v.ContainerKind] = {
    "list": "list", "List": "list", "Sequence": "list", "MutableSequence": "list", "Iterable": "list",
    "Collection": "list", "tuple": "tuple", "Tuple": "tuple", "dict": "dict", "Dict": "dict", "Mapping": "dict",
    "MutableMapping": "dict", "OrderedDict": "dict", "DefaultDict": "dict", "set": "set", "Set": "set",
}  # fmt: skip
MAX_DEPTH = 8


def annotation_value(node: ast.expr | None, names: Names, depth: int = 0) -> v.Value:
    """Return the value that an annotation promises; Unknown for what it does not tell."""
    if node is None or depth > MAX_DEPTH:
        return v.UNKNOWN
    if isinstance(node, ast.Constant):
        if node.value is None:
            return v.NONE
        return _quoted(node.value, names, depth) if isinstance(node.value, str) else v.UNKNOWN
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        sides = (node.left, node.right)
        return v.join([annotation_value(side, names, depth + 1) for side in sides])
    if isinstance(node, ast.Subscript):
        return _generic(node, names, depth)
    name = dotted(node)
    return _simple(names.resolve(name)) if name else v.UNKNOWN


def believed(value: v.Value, annotation: ast.expr, names: Names) -> v.Value:
    """Return what an annotated target holds: an object of the promised class where the value itself tells nothing."""
    is_made = isinstance(value, v.Call) and not isinstance(value.callee, (v.Name, v.Attr))
    promised = annotation_value(annotation, names) if is_made or value == v.UNKNOWN else v.UNKNOWN
    return promised if isinstance(promised, v.Instance) else value


def _quoted(text: str, names: Names, depth: int) -> v.Value:
    try:
        return annotation_value(ast.parse(text.strip(), mode="eval").body, names, depth + 1)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return v.UNKNOWN


def _simple(path: str) -> v.Value:
    tail = path.rpartition(".")[2]
    if path in NUMBERS:
        return v.NUMBER
    known = instance_of(path)
    if known is not None:
        return known
    if tail in KINDS and not path.startswith(":"):
        return v.Container(KINDS[tail], v.UNKNOWN)
    if tail in ("Any", "object", "Callable"):
        return v.UNKNOWN
    return v.Instance(path)


def _generic(node: ast.Subscript, names: Names, depth: int) -> v.Value:
    head = dotted(node.value).rpartition(".")[2]
    inner = node.slice
    parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    values = [annotation_value(part, names, depth + 1) for part in parts]
    if head == "Optional":
        return v.join([*values, v.NONE])
    if head == "Union":
        return v.join(values)
    if head in ("Final", "Annotated", "ClassVar"):
        return values[0]
    if head in ("Type", "type", "Callable"):
        return _called(parts[-1], names)
    kind = KINDS.get(head)
    if kind is None:
        return v.UNKNOWN
    if kind == "dict":
        return v.Container(kind, values[-1])
    items = (
        tuple(values)
        if kind == "tuple" and not any(map(_is_dots, parts)) and len(values) <= MAX_DEPTH
        else ()
    )
    return v.Container(
        kind, v.join([value for part, value in zip(parts, values) if not _is_dots(part)]), -1, items
    )


def _called(node: ast.expr, names: Names) -> v.Value:
    """Return the class whose objects a call gives: X for `type[X]` and for `Callable[..., X]`."""
    name = dotted(node)
    return v.Name(names.resolve(name)) if name else v.UNKNOWN


def _is_dots(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...
