"""Decide what of the state that changed is lost: from the facts of the recorders and the sources of the classes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from typing import Optional

from flake8_ckpt.evidence.journals import Journal
from flake8_ckpt.evidence.journals import LeafFacts
from flake8_ckpt.evidence.journals import LocalFacts
from flake8_ckpt.evidence.journals import ObjectFacts
from flake8_ckpt.evidence.journals import Resumption
from flake8_ckpt.evidence.naming import Line
from flake8_ckpt.evidence.naming import attribute_line
from flake8_ckpt.evidence.naming import chain_of
from flake8_ckpt.evidence.naming import code_of
from flake8_ckpt.evidence.naming import is_module
from flake8_ckpt.evidence.naming import library_line
from flake8_ckpt.evidence.naming import object_line
from flake8_ckpt.evidence.naming import owner_name
from flake8_ckpt.evidence.naming import restoring_lines
from flake8_ckpt.evidence.noise import ARRAYS
from flake8_ckpt.evidence.noise import Attribute
from flake8_ckpt.evidence.noise import attribute_of
from flake8_ckpt.evidence.noise import nature_of
from flake8_ckpt.evidence.records import LossKind
from flake8_ckpt.evidence.sources import Sources

WEIGHTS = "()"
BEST = re.compile(
    r"(?:^|_)best(?:_|$)|(?:^|_)(?:min|max|lowest|highest)_(?:val|eval|test|loss|score|reward|return)"
)
# Networks that only training needs: an evaluation of the file misses nothing.
TRAINING_ONLY = re.compile(r"target|old|critic|discriminator|value|teacher", re.IGNORECASE)
REWARD = re.compile(r"ret_rms|return_rms|NormalizeReward|reward", re.IGNORECASE)


@dataclass(frozen=True)
class Lost:
    """One lost value of one object, or a whole object where there is no attribute."""

    code: str
    kind: LossKind
    line: Line
    class_name: str
    owner: str
    attribute: str = ""
    leaf: Optional[LeafFacts] = None
    restores: tuple[Line, ...] = ()


@dataclass
class Run:
    """All processes of a run, and what holds for all of them."""

    journals: Sequence[Journal]
    sources: Sources = field(default_factory=Sources)
    noise: Counter[str] = field(default_factory=Counter)

    @property
    def keeps_optimizer(self) -> bool:
        """Tell whether a file is meant to go on from: it holds an optimizer's state, or a load is trained from."""
        return any(save.optimizer for each in self.journals for save in each.saves) or self.resumes

    @property
    def resumes(self) -> bool:
        """Tell whether the program loads a checkpoint and then trains."""
        return any(self.is_own(each) for journal in self.journals for each in journal.resumptions)

    def is_own(self, load: Resumption) -> bool:
        """Tell whether a file that was loaded is such as this program writes; a pretrained network is none.

        Such a file has the same keys, or, where it holds only weights, which others have too, the same folder.
        """
        saves = [save for journal in self.journals for save in journal.saves]
        if any(load.path and load.path == save.path for save in saves):
            return True
        keys = {key for key in load.keys if "." not in key}
        return any(2 * len(keys & set(save.keys)) > len(keys) for save in saves)


def judge(run: Run) -> list[Lost]:
    """Return what is lost; nothing where no process wrote a file."""
    if not any(each.saves for each in run.journals):
        return []
    covered = _covered(run)
    return [lost for journal in run.journals for lost in _in_process(run, journal, covered)]


def _covered(run: Run) -> set[tuple[str, str, str]]:
    """Return the attributes of classes that some process has in a file: ranks hold the same, and one saves."""
    found = set()
    for journal in run.journals:
        for each in journal.objects.values():
            if each.file is not None:
                found.add((each.class_.module, each.class_.name, WEIGHTS))
            for name, leaf in each.leaves.items():
                if leaf.file is not None or each.file is not None:
                    found.add((each.class_.module, each.class_.name, name))
    return found


def _in_process(run: Run, journal: Journal, covered: set[tuple[str, str, str]]) -> Iterator[Lost]:
    saves_itself = bool(journal.saves)
    for found in journal.objects.values():
        if found.file is not None:
            continue
        for lost in _of_object(run, journal, found):
            key = found.class_.module, found.class_.name, lost.attribute or WEIGHTS
            if saves_itself or key not in covered:
                yield lost
    for local in journal.locals.values() if saves_itself else ():
        yield from _of_local(run, local)


def _of_local(run: Run, found: LocalFacts) -> Iterator[Lost]:
    """Yield a local variable that holds state: tensors and arrays, and numbers for whoever goes on."""
    if not found.at_save or not found.leaf.changed or found.leaf.file is not None:
        return
    nature, line = run.sources.variable(found.file, found.function, found.name)
    if nature != "state":
        run.noise[nature] += 1
        return
    place, name = (found.file, line), found.function.rpartition(".")[2]
    owner = "" if name == "<module>" else name
    if found.leaf.kind[1] in ARRAYS and found.leaf.size > 1:
        yield Lost("CKP204", "state", place, "", owner, found.name, found.leaf)
    elif BEST.search(found.name):
        if run.resumes:
            yield Lost("CKP218", "note", place, "", owner, found.name, found.leaf)
    elif run.keeps_optimizer:
        yield Lost("CKP204", "note", place, "", owner, found.name, found.leaf)


def _of_object(run: Run, journal: Journal, found: ObjectFacts) -> Iterator[Lost]:
    if found.kind in ("optimizer", "scheduler", "scaler"):
        if run.keeps_optimizer and _was_used(found):
            yield _whole(run, journal, found)
        return
    if _is_lost_network(run, journal, found):
        yield _whole(run, journal, found)
        return
    for name, leaf in found.leaves.items():
        if name != WEIGHTS and leaf.file is None:
            yield from _of_leaf(run, journal, found, name, leaf)


def _was_used(found: ObjectFacts) -> bool:
    if found.kind == "optimizer":
        return found.steps > 0 and found.moments
    return any(leaf.changed and leaf.file is None for leaf in found.leaves.values())


def _is_lost_network(run: Run, journal: Journal, found: ObjectFacts) -> bool:
    """Tell whether a network changed, is part of no other, and nothing of it is in any file."""
    weights = found.leaves.get(WEIGHTS)
    if weights is None or not weights.changed or weights.file is not None or not is_module(found):
        return False
    if any(is_module(journal.objects[key]) for key, _ in found.owners if key in journal.objects):
        return False
    name = owner_name(chain_of(found, journal.objects))
    return run.keeps_optimizer or not TRAINING_ONLY.search(name)


def _whole(run: Run, journal: Journal, found: ObjectFacts) -> Lost:
    chain = chain_of(found, journal.objects)
    leaf = next(iter(found.leaves.values()), None)
    line = object_line(chain, run.sources)
    return Lost("CKP204", "object", line, found.class_.name, owner_name(chain), "", leaf)


def _of_leaf(run: Run, journal: Journal, found: ObjectFacts, name: str, leaf: LeafFacts) -> Iterator[Lost]:
    kind = (
        _kind_of_library(run, found, leaf)
        if found.kind != "project"
        else _kind_of_own(run, found, name, leaf)
    )
    if kind is None:
        return
    chain = chain_of(found, journal.objects)
    is_own = found.kind == "project"
    line = attribute_line(found, name, run.sources) if is_own else library_line(chain, run.sources)
    owner = owner_name(chain)
    if not run.keeps_optimizer and not is_module(found) and REWARD.search(owner):
        run.noise["training only"] += 1
        return
    code = code_of(found, leaf, chain, _has_hooks(run, found))
    code = "CKP218" if kind == "note" and BEST.search(name) else code
    restores = restoring_lines(found, name, run.sources) if is_own else ()
    yield Lost(code, kind, line, found.class_.name, owner, name, leaf, restores)


def _kind_of_library(run: Run, found: ObjectFacts, leaf: LeafFacts) -> Optional[LossKind]:
    if found.kind == "estimator":
        return "fitted"
    return "state" if leaf.changed else None


def _kind_of_own(run: Run, found: ObjectFacts, name: str, leaf: LeafFacts) -> Optional[LossKind]:
    if not leaf.changed or leaf.kind[1] == "none":
        return None
    attribute = attribute_of(found, name, run.sources)
    nature = nature_of(attribute)
    if nature not in ("state", "fitted"):
        run.noise[nature] += 1
        return None
    if leaf.kind[1] == "number" and not is_module(found) and not attribute.applies_statistics:
        return _kind_of_number(run, attribute)
    return "fitted" if nature == "fitted" else "state"


def _kind_of_number(run: Run, attribute: Attribute) -> Optional[LossKind]:
    """Judge a number outside a module: it matters to whoever goes on from the file."""
    if BEST.search(attribute.name):
        return "note" if run.resumes else None
    return "note" if run.keeps_optimizer else None


def _has_hooks(run: Run, found: ObjectFacts) -> bool:
    """Tell whether the class says itself what is saved, and a part of it is."""
    own = any("state_dict" in each.methods for each in run.sources.classes(found.class_.own))
    return own and any(leaf.file is not None for leaf in found.leaves.values())
