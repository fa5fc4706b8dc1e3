"""Turn the nested values of a file into a flat list of arrays and numbers with dotted keys."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

from flake8_ckpt.runtime.inspector.content import Tree
from flake8_ckpt.runtime.inspector.errors import CheckpointError
from flake8_ckpt.runtime.inspector.pickles.rebuild import rebuilt
from flake8_ckpt.runtime.inspector.values import Array
from flake8_ckpt.runtime.inspector.values import Call
from flake8_ckpt.runtime.inspector.values import GlobalRef
from flake8_ckpt.runtime.inspector.values import Mapping
from flake8_ckpt.runtime.inspector.values import Value

# A value may hold itself, or one value many times: then the walk is cut, and says so.
DEEPEST = 100
MOST_VISITS = 300_000
MOST_LEAVES = 50_000
LONGEST_KEY = 300
# Numbers in a list are cheaper to look at than other values.
NUMBERS_PER_VISIT = 8
MOST_IN_ROWS = 100_000
# How modules keep what their keys do not name.
UNNAMED = frozenset(["_parameters", "_buffers", "_modules"])
NUMBERS = (bool, int, float)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Plain numbers: one, or a list of them that is rectangular."""

    values: Sequence[Value]
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class Leaf:
    """An array or numbers under a dotted key."""

    key: str
    value: Array | Numbers


@dataclass(frozen=True)
class Flat:
    """All leaves of a tree, and whether something was cut."""

    leaves: tuple[Leaf, ...]
    is_cut: bool


@dataclass(frozen=True, slots=True)
class _Place:
    """A value that is still to be looked at; the keys of its ancestors are not joined before a leaf is found."""

    value: Value
    parent: Optional[_Place]
    name: str
    depth: int


def flatten(tree: Tree) -> Flat:
    """Return the leaves of a tree, in the order of the file."""
    leaves: list[Leaf] = []
    pending = [_Place(tree.root, None, "", 0)]
    visits, is_cut = 0, False
    while pending and not is_cut:
        place = pending.pop()
        visits += 1 + (len(place.value) // NUMBERS_PER_VISIT if isinstance(place.value, (list, tuple)) else 0)
        leaf = _leaf_of(place.value, tree)
        if leaf is not None:
            leaves.append(Leaf(_key_of(place, tree.prefix), leaf))
        elif place.depth < DEEPEST and not _is_inside_itself(place):
            pending.extend(reversed([*_children(place, tree)]))
        elif place.depth == DEEPEST:
            is_cut = bool([*_children(place, tree)])
        is_cut = is_cut or visits + len(pending) > MOST_VISITS or len(leaves) > MOST_LEAVES
    return Flat(tuple(leaves), is_cut)


def _leaf_of(value: Value, tree: Tree) -> Optional[Array | Numbers]:
    if isinstance(value, Call):
        value = _unwrapped(value, tree)
    if isinstance(value, Array):
        return value
    if type(value) in NUMBERS:
        return Numbers((value,), (), type(value).__name__)
    if isinstance(value, (list, tuple)) and value and type(value[0]) in (*NUMBERS, list, tuple):
        return _number_list(value)
    return None


def _unwrapped(value: Value, tree: Tree) -> Value:
    """Return what a call builds, through the calls that wrap it."""
    for _ in range(8):
        if not isinstance(value, Call):
            break
        inner = rebuilt(value, tree.locate, tree.is_big_endian)
        if inner is None:
            break
        value = inner
    return value


def _number_list(value: list[Value] | tuple[Value, ...]) -> Optional[Numbers]:
    """Return a list of numbers, or a list of equally long lists of numbers, as one value."""
    kinds = {type(each) for each in value}
    if kinds <= set(NUMBERS):
        dtype = "float" if float in kinds else "bool" if kinds == {bool} else "int"
        return Numbers(value, (len(value),), dtype)
    if not kinds <= {list, tuple} or len({len(each) for each in value}) != 1 or not value[0]:
        return None
    flat = (
        [number for row in value for number in row] if len(value) * len(value[0]) <= MOST_IN_ROWS else [None]
    )
    rows = _number_list(flat) if {type(each) for each in flat} <= set(NUMBERS) else None
    return Numbers(rows.values, (len(value), len(value[0])), rows.dtype) if rows else None


def _children(place: _Place, tree: Tree) -> Iterator[_Place]:
    value, depth = place.value, place.depth + 1
    if isinstance(value, Call):
        value = _unwrapped(value, tree)
    if isinstance(value, Mapping):
        yield from (_Place(item, place, _name_of(key), depth) for key, item in value.items)
    elif isinstance(value, (list, tuple)):
        yield from (_Place(item, place, str(index), depth) for index, item in enumerate(value))
    elif isinstance(value, Call):
        yield from _children_of_call(value, place, depth)


def _children_of_call(call: Call, place: _Place, depth: int) -> Iterator[_Place]:
    """Yield what an object holds: its items, its elements, its state, and what it was made from."""
    yield from (_Place(item, place, _name_of(key), depth) for key, item in call.items)
    yield from (_Place(item, place, str(index), depth) for index, item in enumerate(call.elements))
    arguments = call.arguments if isinstance(call.arguments, tuple) else ()
    yield from (_Place(each, place, "", depth) for each in arguments if isinstance(each, (Call, Mapping)))
    if _path(call) == "collections.OrderedDict":
        yield from _pairs(arguments[0] if arguments else (), place, depth)
        # What is left of its state is the `_metadata` of a module.
        return
    states = call.state if isinstance(call.state, tuple) else (call.state,)
    yield from (_Place(state, place, "", depth) for state in states if isinstance(state, (Mapping, Call)))


def _pairs(value: Value, place: _Place, depth: int) -> Iterator[_Place]:
    for pair in value if isinstance(value, (list, tuple)) else ():
        if isinstance(pair, (list, tuple)) and len(pair) == 2:
            yield _Place(pair[1], place, _name_of(pair[0]), depth)


def _path(call: Call) -> str:
    return call.function.path if isinstance(call.function, GlobalRef) else ""


def _name_of(key: Value) -> str:
    """Return a key as text; what is no plain value is named by its type."""
    if isinstance(key, str):
        return "" if key in UNNAMED else key
    if key is None or isinstance(key, (*NUMBERS, bytes)):
        return repr(key) if not isinstance(key, int) or key.bit_length() < 128 else "<integer>"
    return f"<{type(key).__name__.lower()}>"


def _is_inside_itself(place: _Place) -> bool:
    above = place.parent
    while above is not None:
        if above.value is place.value and place.value != ():
            return True
        above = above.parent
    return False


def _key_of(place: _Place, prefix: tuple[str, ...]) -> str:
    names: list[str] = []
    at: Optional[_Place] = place
    while at is not None:
        names.append(at.name)
        at = at.parent
    key = ".".join(name[:LONGEST_KEY] for name in (*prefix, *reversed(names)) if name)
    return key if len(key) <= LONGEST_KEY else f"{key[:LONGEST_KEY]}..."


def flatten_all(trees: tuple[Tree, ...]) -> Flat:
    """Return the leaves of several trees."""
    flats = [flatten(tree) for tree in trees]
    leaves = tuple(leaf for flat in flats for leaf in flat.leaves)
    if len(leaves) > 2 * MOST_LEAVES:
        raise CheckpointError("too many tensors to look into")
    return Flat(leaves, any(flat.is_cut for flat in flats))
