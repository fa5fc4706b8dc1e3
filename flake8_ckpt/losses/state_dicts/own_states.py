"""Pairs of methods by which a class gives its own state away and takes it back, inherited ones included."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flake8_ckpt.checkpoints.hooks.methods import HookMethods
from flake8_ckpt.checkpoints.hooks.values import bare_object
from flake8_ckpt.checkpoints.hooks.values import copied
from flake8_ckpt.checkpoints.hooks.values import hands_over_self
from flake8_ckpt.checkpoints.hooks.values import own_attribute
from flake8_ckpt.checkpoints.mismatch import is_framework_hook
from flake8_ckpt.checkpoints.mismatches import Contract
from flake8_ckpt.checkpoints.pairing.group import CheckpointGroup
from flake8_ckpt.checkpoints.pairing.group import Hook
from flake8_ckpt.checkpoints.payload import all_keys
from flake8_ckpt.checkpoints.payload import contents
from flake8_ckpt.checkpoints.payload import states_in
from flake8_ckpt.facts.key_text import ANY
from flake8_ckpt.facts.key_text import SPREAD
from flake8_ckpt.facts.values import SELF
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Field
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Name
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Super
from flake8_ckpt.facts.values import Value
from flake8_ckpt.facts.values import options_of
from flake8_ckpt.frameworks.torch_methods import CONSTRUCTION
from flake8_ckpt.linking.functions import CallContext
from flake8_ckpt.linking.functions import FunctionRef
from flake8_ckpt.linking.functions import is_test
from flake8_ckpt.linking.functions import method_ref
from flake8_ckpt.linking.value_names import parts_through_locals
from flake8_ckpt.losses.idle_loads import IdleLoads
from flake8_ckpt.losses.state_dicts.bounded_states import BoundedStates
from flake8_ckpt.losses.state_dicts.own_state import OwnState

# `AverageMeter`, `TBLogger`, `EpochTimer`: what they count is of interest for the run, not for the result.
OBSERVERS = re.compile(
    r"Monitor|Meter|Logg|Timer|Progress|Profil|Printer|Summary|Visuali|Throughput|Speed|Metric|Statistics"
)
# `get_weights`, `save_model`, `export_policy`: a part of an object by intent, where no counter or optimizer is in it.
PARTS = re.compile(
    r"weight|param|model|policy|net(work)?s?(_|$)|actor|critic|config|export|best|onnx|jit|buffer"
)
# `export_recording`, `export_data`: what was collected, for others to read, whatever changed it.
EXPORTS = re.compile(r"(^|_)export_(?!.*(state|checkpoint))")
# More classes that share one pair of hooks are not asked: a program wrote them.
MAX_HEIRS = 64


class OwnStates:
    """Finds the pairs whose state is understood."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.hierarchy = contract.hierarchy
        self.evaluator = contract.evaluator
        self.idle = IdleLoads(contract.hierarchy)
        self.methods = HookMethods(contract.hierarchy)
        self.bounded = BoundedStates(contract.hierarchy)

    def all(self) -> Iterator[OwnState]:
        """Yield them, first that of the class which defines a pair, then those of the classes that inherit it."""
        for group in self.contract.groups.hooks:
            if group.hook is not None and self._is_asked(group.hook):
                yield from self._of_pair(group.hook, group)

    def _is_asked(self, hook: Hook) -> bool:
        """Tell whether a pair is there to keep the state of an object, and some code may call it."""
        writer = hook.writer
        if is_test(writer.path) or OBSERVERS.search(hook.class_id.rpartition(":")[2]):
            return False
        return not self.idle.is_idle(hook.reader)

    def _of_pair(self, hook: Hook, group: CheckpointGroup) -> Iterator[OwnState]:
        names = hook.writer.name, hook.reader.name
        heirs = self.hierarchy.subclasses(hook.class_id)
        for class_id in (hook.class_id, *heirs[:MAX_HEIRS]):
            found = [self.hierarchy.find_method(class_id, name) for name in names]
            if found[0] is None or found[1] is None or is_test(class_id.partition(":")[0]):
                continue
            writer, reader = method_ref(*found[0], class_id), method_ref(*found[1], class_id)
            if (writer.identity, reader.identity) != (hook.writer.identity, hook.reader.identity):
                continue
            payloads = tuple(self._payloads(writer, group))
            if not payloads:
                given = self.bounded.given_by(writer, reader)
            elif self._is_understood(writer) and self._goes_on(reader, payloads, group):
                given = frozenset(_given_in(payloads))
            else:
                continue
            if (payloads or given) and not self._is_for_use(class_id, given):
                yield OwnState(class_id, writer, reader, payloads, given)

    def _payloads(self, writer: FunctionRef, group: CheckpointGroup) -> Iterator[Value]:
        """Yield what a method gives back, adds to its argument or writes to files; nothing where a part is unknown."""
        given = [_packed(store.value) for store in writer.function.stores if store.target == Name("return")]
        written = self.contract.groups.payloads.summary(writer).saves
        self.evaluator.begin()
        if written or not given:
            payloads = [_keyed(each.payload) for each in written or group.saves]
            yield from payloads if all(map(_is_closed, payloads)) else ()
        elif all(self._is_part(each, writer.class_id) for each in given):
            yield from map(_keyed, given)
        elif all(self._is_known(each, writer) for each in given):
            yield from (self.evaluator.expand(each, CallContext(writer)) for each in given)

    def _is_part(self, value: Value, class_id: str) -> bool:
        """Tell whether a value is the bare state of a part, of an object that trains nothing itself."""
        held = bare_object(value)
        part = own_attribute(held) if held is not None else ""
        if not part or self.hierarchy.is_module(class_id):
            return False
        holds = {
            write.attr for _, each in self.hierarchy.inherited_methods(class_id) for write in each.writes
        }
        kinds = (
            self.contract.kinds.of(self.evaluator.attribute_class(class_id, each)) for each in holds - {part}
        )
        return self.methods.is_stepped(class_id, part) or "optimizer" not in kinds

    def _is_known(self, value: Value, writer: FunctionRef) -> bool:
        """Tell whether all keys of what a method gives back are known, those of its base class included."""
        base = _base_state(value, writer.name)
        if base is not None:
            found = self.hierarchy.find_method(writer.class_id, writer.name, writer.owner)
            filled = self.evaluator.added_to(writer.function, value) if isinstance(value, Local) else []
            if found is None or not all(each.key for each in filled):
                return False
            above = method_ref(*found, writer.class_id)
            given = [store.value for store in above.function.stores if store.target == Name("return")]
            return (
                self._is_understood(above)
                and bool(given)
                and all(self._is_known(each, above) for each in given)
            )
        if isinstance(value, Attr) and value.base == SELF:
            return True
        return _is_closed(self.evaluator.expand(value, CallContext(writer)))

    def _is_understood(self, writer: FunctionRef) -> bool:
        """Tell whether a method hands neither the object itself nor all its attributes on."""
        if any(use.attr == "__dict__" for use in writer.function.uses):
            return False
        return not any(hands_over_self(site.call) for site in writer.function.calls)

    def _goes_on(self, reader: FunctionRef, payloads: tuple[Value, ...], group: CheckpointGroup) -> bool:
        """Tell whether training goes on with what is restored: weights alone are for use.

        A framework says so, or nothing but numbers is given, or a counter or an optimizer is among it.
        """
        is_part = group.hook is not None and PARTS.search(group.hook.writer.name) is not None
        if not is_part and (
            is_framework_hook(group) or not any(True for each in payloads for _ in states_in(each))
        ):
            return True
        values = [value for payload in payloads for _, value in all_keys(payload)]
        is_export = group.hook is not None and EXPORTS.search(group.hook.writer.name) is not None
        changed = (self.methods.is_changed(reader.class_id, own_attribute(copied(each))) for each in values)
        if not is_export and any(changed):
            return True
        parts = {own_attribute(held) for held in map(bare_object, values) if held is not None}
        if any(self.methods.is_stepped(reader.class_id, each) for each in parts - {""}):
            return True
        loads = self.contract.groups.payloads.summary(reader).loads
        return any(each.keys and self.contract.evidence.is_training_state(each) for each in loads)

    def _is_for_use(self, class_id: str, given: frozenset[str]) -> bool:
        """Tell whether a class steps an optimizer that it does not give, nor any counter: no training goes on."""
        attrs = set()
        for _, method in self.hierarchy.inherited_methods(class_id):
            is_made = method.name in CONSTRUCTION
            attrs |= {write.attr for write in method.writes}
            if not is_made and any(write.attr in given and write.how == "augment" for write in method.writes):
                return False
        optimizers = [each for each in attrs if self._is_optimizer(class_id, each)]
        stepped = any(self.methods.is_stepped(class_id, each) for each in optimizers)
        return stepped and given.isdisjoint(optimizers)

    def _is_optimizer(self, class_id: str, attr: str) -> bool:
        return self.contract.kinds.of(self.evaluator.attribute_class(class_id, attr)) == "optimizer"


def _given_in(payloads: tuple[Value, ...]) -> Iterator[str]:
    """Yield the attributes of the object that go under the keys of some payloads."""
    for payload in payloads:
        for _, value in all_keys(payload):
            for each in parts_through_locals(value):
                if isinstance(each, Attr) and each.base == SELF:
                    yield each.name


def _keyed(payload: Value) -> Value:
    """Return a payload, or where it is the bare state of an own part, one with that under a key."""
    held = bare_object(payload)
    return Record((Field("", payload),)) if held is not None and own_attribute(held) else payload


def _packed(value: Value) -> Value:
    """Return what a text or bytes are made of: the record in `json.dumps(record)`."""
    is_packed = (
        isinstance(value, Call) and isinstance(value.callee, Name) and value.callee.path.endswith(".dumps")
    )
    return value.args[0] if isinstance(value, Call) and is_packed and value.args else value


def _is_closed(payload: Value) -> bool:
    found = contents(payload)
    return bool(found.slots) and not found.open


def _base_state(value: Value, name: str) -> Value | None:
    """Return the call of the base class's method of a name that a value is, or holds beside keys of its own."""
    while isinstance(value, Local):
        value = value.value
    held = options_of(value.of) if isinstance(value, Container) and value.kind == "dict" else (value,)
    if isinstance(value, Record) and not value.open:
        held = tuple(each.value for each in value.fields if each.key in (ANY, SPREAD))
    if UNKNOWN in held:
        return None
    for each in held:
        if isinstance(each, Call) and each.callee == Attr(Super(), name):
            return each
    return None
