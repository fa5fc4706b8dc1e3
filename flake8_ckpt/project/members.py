"""What the classes of a project consist of for the rules: methods, writes and uses, and names with a meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING

from flake8_ckpt.facts.model import FunctionFacts
from flake8_ckpt.facts.model import Site
from flake8_ckpt.facts.model import Use
from flake8_ckpt.facts.model import Write
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Value

if TYPE_CHECKING:
    from flake8_ckpt.project.state import ClassState

CARRIERS = frozenset(
    "state_dict get_extra_state _save_to_state_dict on_save_checkpoint load_state_dict set_extra_state"
    " _load_from_state_dict on_load_checkpoint save save_checkpoint state save_state get_state".split()
)
MOVERS = frozenset("_apply to cuda cpu half float double".split())
CONSTRUCTION = frozenset(
    "__init__ __post_init__ __new__ reset_parameters _reset_parameters __attrs_post_init__".split()
)
UNEVENTFUL = frozenset("__repr__ extra_repr __str__ __getstate__ __setstate__ __deepcopy__".split())
SAVERS = re.compile(
    r"(^|_)(save|dump|serialize|export|checkpoint)(_|$)|^_?get_\w*state$|state_dict|statistics_dict"
    r"|extra_state|^_?load_state|checkpoint"
)
CASTS = re.compile(r"(^|[._])(to|move|cast|send)_\w+$|(device|dtype)$")
STEPS = frozenset(
    "forward __call__ step training_step validation_step test_step predict_step update normalize call"
    " compute_loss".split()
)


@dataclass(frozen=True)
class Method:
    """A method of the class or of an ancestor; `early` when construction runs it."""

    owner: str
    facts: FunctionFacts
    early: bool

    @property
    def name(self) -> str:
        """Return the method's name."""
        return self.facts.name

    def own_calls(self) -> Iterator[tuple[str, Site]]:
        """Yield the calls of methods of the same object, with their names."""
        for site in self.facts.calls:
            callee = site.call.callee
            if isinstance(callee, Attr) and callee.base == SELF:
                yield callee.name, site


@dataclass(frozen=True)
class Change:
    """A write and the method it stands in."""

    method: Method
    write: Write
    state: ClassState = field(compare=False, repr=False)

    @cached_property
    def value(self) -> Value:
        """Return the value that the write gives, resolved in the class it was seen in."""
        return self.state.resolver.resolve(self.write.value, self.state.place(self.method))

    @property
    def guards(self) -> tuple[str, ...]:
        """Return the conditions around the write."""
        return self.write.guards


@dataclass(frozen=True)
class Reading:
    """A use and the method it stands in."""

    method: Method
    use: Use
