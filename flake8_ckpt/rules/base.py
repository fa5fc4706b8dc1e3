"""What a rule is, and how all rules are found: by walking this package."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Optional

import flake8_ckpt.rules as package
from flake8_ckpt.findings import Finding
from flake8_ckpt.findings import Fix
from flake8_ckpt.findings import Node
from flake8_ckpt.findings import Related
from flake8_ckpt.findings import Spot
from flake8_ckpt.findings import WriteSite
from flake8_ckpt.linked_project import Project

Check = Callable[[Project], Iterator[Finding]]


@dataclass(frozen=True)
class Rule:
    """A rule: `check` is on by default, `opt_in` runs when the user enables the code."""

    module: str
    code: str
    check: Optional[Check] = None
    opt_in: Optional[Check] = None

    @property
    def name(self) -> str:
        """Return the rule's name: that of its file, with hyphens."""
        return self.module.rpartition(".")[2].replace("_", "-")

    @property
    def is_about_checkpoints(self) -> bool:
        """Tell whether the rule is about what programs save and restore: then it speaks of files that do."""
        return self.code.startswith("CKP2")

    @property
    def page(self) -> str:
        """Return the rule's documentation page: the docstring of its file."""
        return inspect.cleandoc(sys.modules[self.module].__doc__ or "")

    @property
    def summary(self) -> str:
        """Return the first line of the page."""
        return self.page.partition("\n")[0]


@cache
def all_rules() -> tuple[Rule, ...]:
    """Import every file of this package and return its rules in order of code."""
    names = [found.name for found in pkgutil.iter_modules(package.__path__)]
    modules = [importlib.import_module(f"{package.__name__}.{name}") for name in names]
    rules = [module.RULE for module in modules if hasattr(module, "RULE")]
    return tuple(sorted(rules, key=lambda rule: rule.code))


# A message and what stands before it are one line of a terminal.
MAX_MESSAGE = 120
STATEMENT = Node(("statement",))
CALL = Node(("call",))
NO_FIX = Fix()


def finding_in(
    rule: Rule,
    location: Spot,
    message: str,
    others: Iterable[tuple[Spot, str]] = (),
    *,
    node: Node = STATEMENT,
    attribute: str = "",
    key: str = "",
    fix: Fix = NO_FIX,
) -> Finding:
    """Return a finding at a place, with other places that it is about.

    `attribute` is what is lost if it is one; else `key` is its key in the checkpoint, or its name.
    """
    related = tuple(
        dict.fromkeys(Related(each.path, each.position, text) for each, text in others if each != location)
    )
    return Finding(
        location.path, location.position, rule.code, message, related, node, attribute, key=key, fix=fix
    )


def finding_at(rule: Rule, writes: Sequence[WriteSite], message: str, *, fix: Fix = NO_FIX) -> Finding:
    """Return a finding at the first of some writes, the others related."""
    first, *others = writes
    place, node = first.location, first.node
    related = tuple(Related(each.location.path, each.location.position, "set here too") for each in others)
    return Finding(place.path, place.position, rule.code, message, related, node, node.name, fix=fix)


def call_of(name: str) -> Node:
    """Return the node of a call; where another name stands for what is called, its statement."""
    return Node(("call", "statement"), name)


def registration_of(name: str) -> Node:
    """Return the node that registers a buffer or parameter, be it by a call or by an assignment."""
    return Node(("registration", "attribute"), name)


def heading_of(function: str) -> Node:
    """Return the node of a definition: its heading."""
    return Node(("definition",), function.rpartition(".")[2])


def first_that_fits(*wordings: str) -> str:
    """Return the first of several wordings of a message that is one line of the report, else the last."""
    return next((each for each in wordings if len(each) <= MAX_MESSAGE), wordings[-1])


def own_attribute(name: str) -> str:
    """Return x for `self.x`, and nothing for any other name."""
    owner, _, attribute = name.partition(".")
    return attribute if owner == "self" and "." not in attribute else ""
