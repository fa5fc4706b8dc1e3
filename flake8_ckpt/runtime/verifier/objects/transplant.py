"""Put values of one object into another of the same make, as copies that are tied to what is there."""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from flake8_ckpt.runtime.verifier.compare import is_below
from flake8_ckpt.runtime.verifier.objects.place import Unplaceable
from flake8_ckpt.runtime.verifier.objects.place import is_single
from flake8_ckpt.runtime.verifier.objects.place import put
from flake8_ckpt.runtime.verifier.objects.place import steps
from flake8_ckpt.runtime.verifier.objects.place import take
from flake8_ckpt.runtime.verifier.objects.reach import Node
from flake8_ckpt.runtime.verifier.objects.reach import generator_state
from flake8_ckpt.runtime.verifier.objects.reach import is_plain
from flake8_ckpt.runtime.verifier.objects.reach import key_text
from flake8_ckpt.runtime.verifier.objects.reach import reach
from flake8_ckpt.runtime.verifier.problem import one_line


@dataclass(frozen=True)
class Move:
    """Two objects, the values of both by path, and what deepcopy takes from the target instead of copying."""

    source: object
    target: object
    nodes: dict[str, Node]
    there: dict[str, Any]
    memo: dict[int, Any]


def transplant(source: object, target: object, paths: Sequence[str]) -> dict[str, str]:
    """Put the values under some paths of a source into a target; return the paths that could not be, and why.

    What a value refers to outside of these paths is taken from the target, so that an optimizer that is put
    in steps the target's parameters. A path that the source does not have is taken away.
    """
    nodes, there = by_path(source), {path: node.value for path, node in by_path(target).items()}
    move = Move(source, target, nodes, there, counterparts(nodes, there, paths))
    failed = {}
    for path in paths:
        try:
            put_in(move, whole(path, nodes))
        except Exception as error:
            failed[path] = one_line(error)
    return failed


def by_path(root: object) -> dict[str, Node]:
    """Return the first value under each path: a GradScaler stands where its state is listed too."""
    nodes: dict[str, Node] = {}
    for node in reach(root):
        nodes.setdefault(node.path, node)
    return nodes


def whole(path: str, nodes: dict[str, Node]) -> str:
    """Return the path of the GradScaler that a path is a part of, which takes only a whole state; else the path."""
    scalers = [each for each, node in nodes.items() if isinstance(node.value, torch.amp.GradScaler)]
    return next((scaler for scaler in scalers if is_below(path, [scaler])), path)


def counterparts(nodes: dict[str, Node], there: dict[str, Any], paths: Sequence[str]) -> dict[int, Any]:
    """Return what stands in the target for each object of the source that stays where it is."""
    memo = {}
    for path, node in nodes.items():
        moved = path in paths or is_below(path, paths)
        if is_plain(node.value) or node.same_as is not None:
            continue
        if not moved and path in there:
            memo[id(node.value)] = there[path]
        elif moved and isinstance(node.value, torch.Tensor) and not node.value.is_leaf:
            memo[id(node.value)] = node.value.detach().clone()
    return memo


def put_in(move: Move, path: str) -> None:
    """Put one value in, under each path that leads to it in the source."""
    node = move.nodes.get(path)
    if node is None:
        last = steps(move.target, path)[-1]
        take(last.owner, last.part)
    elif isinstance(node.value, torch.amp.GradScaler):
        move.there[path].load_state_dict(node.value.state_dict())
    elif not put_generator(node.value, move.there.get(path)):
        value = copy.deepcopy(node.value, move.memo)
        put_under(move, path, value)
        put_ties(move, path, value)


def put_ties(move: Move, path: str, value: object) -> None:
    """Put a copy under the other paths to its original, and what is in it under others from outside."""
    first = move.nodes[path].same_as or path
    for other in move.nodes.values():
        if first in (other.path, other.same_as) and other.path != path:
            put_under(move, other.path, value)
        elif (
            other.same_as is not None and is_below(other.same_as, [path]) and not is_below(other.path, [path])
        ):
            put_under(move, other.path, move.memo[id(other.value)])


def put_under(move: Move, path: str, value: object) -> None:
    """Put a copy where its original stands; of a tuple, which cannot change, put all of it in."""
    way, origin = steps(move.target, path), steps(move.source, path)
    if not way or len(way) != len(origin) or not is_single(way[-1]):
        raise Unplaceable("what holds it is not there")
    owner, model, part = way[-1].owner, origin[-1].owner, way[-1].part
    if isinstance(owner, dict) and isinstance(model, dict):
        key = next(key for key in model if f"[{key_text(key)}]" == part)
        owner[copy.deepcopy(key, move.memo)] = value
    elif isinstance(owner, tuple):
        # It is copied anew, with what was put in so far.
        move.memo.pop(id(model), None)
        put_under(move, path.removesuffix(part), copy.deepcopy(model, move.memo))
    else:
        put(owner, part, value)


def put_generator(value: Any, there: Any) -> bool:
    """Set the state of a random generator, which others may share; False for anything else, or none there."""
    if generator_state(value) is None or type(there) is not type(value):
        return False
    if isinstance(value, random.Random):
        there.setstate(value.getstate())
    elif isinstance(value, torch.Generator):
        there.set_state(value.get_state())
    elif hasattr(value, "bit_generator"):
        there.bit_generator.state = value.bit_generator.state
    else:
        there.set_state(value.get_state(legacy=False))
    return True
