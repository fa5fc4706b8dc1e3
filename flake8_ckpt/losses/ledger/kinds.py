"""What kind of state an object is, by its class or by what is done with it."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterator

from flake8_ckpt.checkpoints.object_kinds import Kinds
from flake8_ckpt.checkpoints.object_kinds import ObjectKind
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import arguments_of
from flake8_ckpt.losses.ledger.aliases import AliasFinder
from flake8_ckpt.losses.ledger.events import STEPS
from flake8_ckpt.losses.ledger.holder import Holder
from flake8_ckpt.losses.ledger.mentions import NAMING
from flake8_ckpt.losses.ledger.mentions import Mention
from flake8_ckpt.losses.ledger.mentions import named_in

# Tools of a training that take no part in anything else.
DRIVEN: frozenset[ObjectKind] = frozenset(["scheduler", "scaler", "ema"])
Made = tuple[FunctionRef, Value]
# One of these is called of each object whose kind its uses tell.
TELLING = frozenset(["zero_grad", "scale", "step"])


class KindFinder:
    """Tells the kinds of objects."""

    def __init__(self, aliases: AliasFinder, kinds: Kinds) -> None:
        self.aliases = aliases
        self.kinds = kinds
        self.evaluator = aliases.index.groups.evaluator
        self._found: dict[Holder, ObjectKind] = {}
        self._made: dict[Holder, tuple[Made, ...]] = {}
        self._classes: dict[Holder, frozenset[str]] = {}
        self._promised: dict[Holder, frozenset[str]] = {}

    def of(self, holder: Holder) -> ObjectKind:
        """Return the kind of an object, "" where it is none that a checkpoint needs."""
        if holder not in self._found:
            self._found[holder] = ""
            found = self.by_class(holder)
            is_known = len(found) == 1 or any(map(self.kinds.is_stateless, self.classes(holder)))
            self._found[holder] = next(iter(found), "") if is_known else self._by_use(holder)
        return self._found[holder]

    def made(self, holder: Holder) -> tuple[Made, ...]:
        """Return the expressions that make an object, each with its function."""
        return tuple(made for source in self.aliases.sources(holder) for made in self._made_as(source))

    def _made_as(self, holder: Holder) -> tuple[Made, ...]:
        """Return the expressions that make what is bound to, or given for, a name itself."""
        if holder not in self._made:
            self._made[holder] = tuple(self._makers(holder))
        return self._made[holder]

    def _makers(self, holder: Holder) -> Iterator[Made]:
        given = [(unit, leaf) for unit, value in self.aliases.given(holder) for leaf in options_of(value)]
        origins = (found for unit, leaf in given for found in self.aliases.origins(leaf, unit))
        for maker, each in (*self.aliases.held(holder), *origins):
            made = each.value if isinstance(each, Local) else each
            if not isinstance(made, NAMING):
                yield maker, made

    def classes(self, holder: Holder) -> set[str]:
        """Return the classes that an object may be of."""
        made = {each for source in self.aliases.sources(holder) for each in self._classes_as(source)}
        return made or {each for source in self.aliases.sources(holder) for each in self._promised_as(source)}

    def _classes_as(self, holder: Holder) -> frozenset[str]:
        """Return the classes of what is made under a name itself."""
        if holder not in self._classes:
            made = self._made_as(holder)
            found = {self.evaluator.class_of(value, CallContext(unit)) for unit, value in made}
            self._classes[holder] = frozenset(found - {""})
        return self._classes[holder]

    def _promised_as(self, holder: Holder) -> frozenset[str]:
        """Return the classes that the annotation of a parameter promises, where nothing says what makes the object.

        What makes an object of the project's own class may keep it as well, so it has to be seen; but for what
        only a trainer is given, and drives.
        """
        if holder not in self._promised:
            self._promised[holder] = frozenset(self._annotated(holder))
        return self._promised[holder]

    def _annotated(self, holder: Holder) -> Iterator[str]:
        own = self.evaluator.symbols.classes
        unit = self.aliases.index.function(holder.owner) if holder.path.isidentifier() else None
        for each in unit.function.parameters if unit is not None else ():
            if each.name == holder.path and unit is not None and each.annotation is not None:
                for option in options_of(each.annotation):
                    class_id = self.evaluator.class_of(option, CallContext(unit))
                    is_seen = class_id not in own or bool(self.aliases.given(holder))
                    if class_id and (is_seen or self.kinds.of(class_id) in DRIVEN):
                        yield class_id

    def by_class(self, holder: Holder) -> set[ObjectKind]:
        """Return the kinds of the classes that an object may be of."""
        return {self._of_class(each) for each in self.classes(holder)} - {""}

    def _of_class(self, class_id: str) -> ObjectKind:
        return self.kinds.of(class_id) or ("module" if self.aliases.hierarchy.is_module(class_id) else "")

    def _by_use(self, holder: Holder) -> ObjectKind:
        if all(TELLING.isdisjoint(self._called_under(each.name)) for each in self.aliases.sources(holder)):
            return ""
        seen = [each for source in self.aliases.sources(holder) for each in self.aliases.mentions(source)]
        called = {each.name for each in seen if each.how == "called"}
        if "zero_grad" in called and ("step" in called or any(map(is_stepped_by_other, seen))):
            return "optimizer"
        if {"scale", "update"} <= called and ("step" in called or "unscale_" in called):
            return "scaler"
        if "step" in called and "zero_grad" not in called and self._is_built_over_optimizer(holder):
            return "scheduler"
        return ""

    def _called_under(self, name: str) -> Collection[str]:
        return self.aliases.index.called.get(name, ())

    def mentions(self, holder: Holder) -> Iterator[Mention]:
        """Yield the mentions of an object under all its names."""
        for each in self.aliases.of(holder).holders:
            yield from self.aliases.mentions(each)

    def _is_built_over_optimizer(self, holder: Holder) -> bool:
        for unit, value in self.made(holder):
            if isinstance(value, Call) and isinstance(value.callee, Name):
                for given in (each for arg in arguments_of(value) for each in named_in(arg)):
                    named = self.aliases.holders.of(given, unit)
                    if named is not None and self.of(named) == "optimizer":
                        return True
        return False


def is_stepped_by_other(mention: Mention) -> bool:
    """Tell whether another object steps this one: `scaler.step(optimizer)`, `fabric.optimizer_step(optimizer)`."""
    return (
        mention.how == "given"
        and mention.name in STEPS
        and mention.site is not None
        and isinstance(mention.site.call.callee, Attr)
    )
