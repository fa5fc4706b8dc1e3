"""What a loss is called and where it stands: the owner's path, the line of the first assignment, the rule's code."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from typing import Optional

from flake8_ckpt.evidence.journals import LeafFacts
from flake8_ckpt.evidence.journals import ObjectFacts
from flake8_ckpt.evidence.sources import Sources

MODULE_BASE = "torch.nn.modules.module.Module"
WRAPPERS = ("gymnasium.core.Wrapper", "gymnasium.vector.vector_env.VectorWrapper", "gym.core.Wrapper")
VEC_WRAPPER = "stable_baselines3.common.vec_env.base_vec_env.VecEnvWrapper"
VEC_NORMALIZE = "stable_baselines3.common.vec_env.vec_normalize.VecNormalize"
HELD_ASIDE = frozenset(["optimizer", "scheduler"])
MAX_DEPTH = 6
CODES = {
    "tensor": "CKP101",
    "container": "CKP104",
    "numbers": "CKP104",
    "array": "CKP106",
    "number": "CKP110",
}
Line = tuple[str, int]


def is_module(found: ObjectFacts) -> bool:
    """Tell whether an object is a torch module."""
    return MODULE_BASE in found.class_.bases


def chain_of(found: ObjectFacts, objects: Mapping[int, ObjectFacts]) -> list[tuple[ObjectFacts, str]]:
    """Return an object and who holds it, from the outside in, each with the path to the next one's."""
    chain: list[tuple[ObjectFacts, str]] = [(found, "")]
    seen = {found.id}
    while len(chain) < MAX_DEPTH:
        owner = _owner(chain[0][0], objects, seen)
        if owner is None:
            break
        seen.add(owner[0].id)
        chain.insert(0, owner)
    return chain


def _owner(
    found: ObjectFacts, objects: Mapping[int, ObjectFacts], seen: set[int]
) -> Optional[tuple[ObjectFacts, str]]:
    owners = [(objects[key], path) for key, path in found.owners if key in objects and key not in seen]
    # A scheduler holds its optimizer, but nobody calls it so.
    return next((owner for owner in owners if owner[0].kind not in HELD_ASIDE), None)


def owner_name(chain: list[tuple[ObjectFacts, str]]) -> str:
    """Return `Agent.obs_rms`: the outermost class and the path.

    A library's object, and a module that is held by nothing else, are called as the variable that holds them.
    """
    first = chain[0][0]
    name = first.class_.name.rpartition(".")[2]
    if first.variable is not None and (not first.class_.own or is_module(first) and len(chain) == 1):
        name = first.variable[2]
    return ".".join([name, *(path for _, path in chain[:-1])])


def code_of(
    found: ObjectFacts, leaf: LeafFacts, chain: list[tuple[ObjectFacts, str]], has_hooks: bool
) -> str:
    """Return the rule that speaks of such a loss."""
    if is_module(found):
        return _code_on_module(leaf)
    bases = {base for owner, _ in chain for base in owner.class_.bases}
    if VEC_NORMALIZE in bases:
        return "CKP208"
    if not bases.isdisjoint([*WRAPPERS, VEC_WRAPPER]):
        return "CKP215"
    return "CKP207" if has_hooks else "CKP204"


def _code_on_module(leaf: LeafFacts) -> str:
    if leaf.registration == "buffer":
        return "CKP107"
    if leaf.kind[0] == "none" and leaf.kind[1] == "tensor":
        return "CKP109"
    return CODES.get(leaf.kind[1], "CKP110")


def attribute_line(found: ObjectFacts, name: str, sources: Sources) -> Line:
    """Return where an attribute is first assigned, in a constructor where there is one."""
    writes = [(each.file, write) for each in sources.classes(found.class_.own) for write in each.writes(name)]
    for file, write in sorted(writes, key=lambda each: each[1].function != "__init__"):
        return file, write.line
    return next(((file, write.line) for file, write in sources.outer_writes(name)), ("", 0))


def restoring_lines(found: ObjectFacts, name: str, sources: Sources) -> tuple[Line, ...]:
    """Return where code sets an attribute of this object from outside, as a load does that brings it back."""
    holders = {path.partition("[")[0] for _, path in found.owners}
    if found.variable is not None:
        sources.file(found.variable[0])
        holders.add(found.variable[2])
    writes = [(file, write) for file, write in sources.outer_writes(name)]
    return tuple((file, write.line) for file, write in writes if write.target.split(".")[-2] in holders)


def object_line(chain: list[tuple[ObjectFacts, str]], sources: Sources) -> Line:
    """Return where an object was made: the line of its construction, else of the attribute or name that holds it."""
    return next((line for line in _object_lines(chain, sources) if line[1]), ("", 0))


def _object_lines(chain: list[tuple[ObjectFacts, str]], sources: Sources) -> Iterator[Line]:
    found = chain[-1][0]
    yield found.place
    if len(chain) > 1:
        owner, path = chain[-2]
        yield attribute_line(owner, path.partition("[")[0], sources)
    if found.variable is not None:
        file, function, name = found.variable
        yield file, sources.variable_line(file, function, name)
    for owner, _ in reversed(chain):
        yield owner.place


def library_line(chain: list[tuple[ObjectFacts, str]], sources: Sources) -> Line:
    """Return where the user's code built the outermost object around one of a library, or the object itself."""
    if chain[-1][0].kind == "estimator":
        return object_line(chain, sources)
    return next((owner.place for owner, _ in chain if owner.place[1]), object_line(chain, sources))
