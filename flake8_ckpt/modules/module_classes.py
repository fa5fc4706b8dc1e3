"""The module classes of a project, and what each rule about their state asks of them."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterator
from functools import cached_property
from typing import Optional

from flake8_ckpt.facts.model import ClassFacts
from flake8_ckpt.linking.class_hierarchy import Hierarchy
from flake8_ckpt.linking.functions import is_test
from flake8_ckpt.linking.value_kinds import KindEvaluator
from flake8_ckpt.modules.after_load.derived_values import StaleBuffer
from flake8_ckpt.modules.after_load.derived_values import StaleNumber
from flake8_ckpt.modules.after_load.derived_values import StaleTensor
from flake8_ckpt.modules.after_load.derived_values import stale_buffers
from flake8_ckpt.modules.after_load.derived_values import stale_numbers
from flake8_ckpt.modules.after_load.derived_values import stale_tensors
from flake8_ckpt.modules.after_load.initialization_flags import InitializationFlag
from flake8_ckpt.modules.after_load.initialization_flags import initialization_flags
from flake8_ckpt.modules.after_load.weighing_counts import WeighingCount
from flake8_ckpt.modules.after_load.weighing_counts import weighing_counts
from flake8_ckpt.modules.attributes import Attribute
from flake8_ckpt.modules.buffers.buffer_siblings import BufferSibling
from flake8_ckpt.modules.buffers.buffer_siblings import buffer_siblings
from flake8_ckpt.modules.class_state import ClassState
from flake8_ckpt.modules.constants import excuse_of
from flake8_ckpt.modules.constants import is_left_behind
from flake8_ckpt.modules.containers.plain_containers import PlainContainer
from flake8_ckpt.modules.containers.plain_containers import plain_containers
from flake8_ckpt.modules.late_registration import LateRegistration
from flake8_ckpt.modules.late_registration import deciding_parameters
from flake8_ckpt.modules.late_registration import late_registrations
from flake8_ckpt.modules.late_tensors import LateTensor
from flake8_ckpt.modules.late_tensors import late_tensors
from flake8_ckpt.modules.members import AttributeWrite
from flake8_ckpt.modules.plain_attributes import plain_arrays
from flake8_ckpt.modules.plain_attributes import plain_numbers
from flake8_ckpt.modules.plain_attributes import plain_tensors
from flake8_ckpt.modules.registrations import RegistrationResult
from flake8_ckpt.modules.registrations import UnsavedBuffer
from flake8_ckpt.modules.registrations import registration_results
from flake8_ckpt.modules.registrations import tensors_before_registration
from flake8_ckpt.modules.registrations import unsaved_buffers
from flake8_ckpt.modules.usage.dummy_runs import run_before_loads
from flake8_ckpt.modules.usage.dummy_runs import run_in_constructors
from flake8_ckpt.modules.usage.handed_arguments import HandedArguments
from flake8_ckpt.modules.usage.load_preparations import methods_called_by_loads
from flake8_ckpt.modules.usage.measures import is_measure
from flake8_ckpt.modules.usage.module_moves import ModuleMoves
from flake8_ckpt.modules.usage.unused_classes import UnusedClasses
from flake8_ckpt.modules.usage.whole_pickles import WholePickles


class ModuleClasses:
    """The classes of a project whose objects are modules; with `about`, those that some files have to do with."""

    def __init__(
        self, hierarchy: Hierarchy, kind_evaluator: KindEvaluator, about: Optional[Collection[str]] = None
    ) -> None:
        self.hierarchy = hierarchy
        self.kind_evaluator = kind_evaluator
        self.about = about

    @cached_property
    def classes(self) -> tuple[ClassState, ...]:
        """Return those that set or register something, in order of file and line; not those of tests.

        What is said of a class stands in the file of it, of a subclass, or of an ancestor that sets what it sets.
        """
        return tuple(self._classes())

    def _classes(self) -> Iterator[ClassState]:
        pickled = WholePickles(self.hierarchy).classes()
        near = None if self.about is None else frozenset(self._near(self.about))
        for identity, facts in self.hierarchy.symbols.classes.items():
            if is_test(identity.partition(":")[0]) or near is not None and identity not in near:
                continue
            if any(method.writes or method.registers for method in facts.methods):
                if self.hierarchy.is_module(identity):
                    yield ClassState(identity, self.hierarchy, self.kind_evaluator, pickled)

    def _near(self, about: Collection[str]) -> Iterator[str]:
        """Yield the classes of some files, their ancestors, and the subclasses that set attributes of theirs."""
        for path in about:
            facts = self.hierarchy.symbols.files.get(path)
            for each in facts.classes if facts is not None else ():
                identity = f"{path}:{each.name}"
                yield from self.hierarchy.ancestors(identity)
                names = _set_by(each)
                for subclass in self.hierarchy.subclasses(identity) if names else ():
                    if _may_share(names, _set_by(self.hierarchy.symbols.classes[subclass])):
                        yield subclass

    @cached_property
    def used_classes(self) -> tuple[ClassState, ...]:
        """Return those that a program of the project may make objects of."""
        return tuple(each for each in self.classes if self.is_used(each))

    def is_used(self, state: ClassState) -> bool:
        """Tell whether a program may make objects of a class: what may be lost by nobody is not worth a word.

        State that methods change is spoken of all the same: whoever writes such a class means to use it.
        """
        return not self._unused.is_unused(state.identity)

    @cached_property
    def _unused(self) -> UnusedClasses:
        return UnusedClasses(self.hierarchy)

    @cached_property
    def plain_tensors(self) -> tuple[Attribute, ...]:
        """Return the tensors that are kept as plain attributes."""
        return tuple(each for state in self.classes for each in plain_tensors(state))

    @cached_property
    def handed(self) -> HandedArguments:
        """Return what the project hands to the constructors of its classes."""
        return HandedArguments(self.kind_evaluator)

    @cached_property
    def called_by_loads(self) -> frozenset[str]:
        """Return the methods that loading code calls before a module has all that a checkpoint holds."""
        return methods_called_by_loads(self.hierarchy.symbols)

    @cached_property
    def moves(self) -> ModuleMoves:
        """Return which programs take their modules to a device."""
        return ModuleMoves(self.hierarchy.symbols)

    def constants_left_behind(self) -> Iterator[Attribute]:
        """Yield the plain tensors that break a module once it is moved, where somebody may move it."""
        for tensor in self.plain_tensors:
            if (
                is_left_behind(tensor)
                and self.is_used(tensor.state)
                and self.moves.may_move(tensor.state.path)
            ):
                yield tensor

    def excuse_of(self, tensor: Attribute) -> str:
        """Return why a plain tensor is harmless today."""
        return excuse_of(tensor) or "in a module that its programs do not move"

    def plain_arrays(self) -> Iterator[Attribute]:
        """Yield the numpy arrays that are kept as plain attributes."""
        for state in self.classes:
            if not is_measure(self.hierarchy, state.identity):
                yield from plain_arrays(state)

    def plain_numbers(self) -> Iterator[Attribute]:
        """Yield the numbers and bools that are kept as plain attributes."""
        for state in self.used_classes:
            yield from plain_numbers(state)

    def plain_containers(self) -> Iterator[PlainContainer]:
        """Yield the lists, tuples and dicts that construction makes and nothing registers."""
        for state in self.used_classes:
            for held in plain_containers(state):
                if not self.handed.are_modules(state.identity, held.changes):
                    yield held

    def initialization_flags(self) -> Iterator[InitializationFlag]:
        """Yield the bools under which a step initializes buffers or weights once."""
        for state in self.used_classes:
            yield from initialization_flags(state)

    def weighing_counts(self) -> Iterator[WeighingCount]:
        """Yield the numbers that weigh what is added to saved statistics."""
        for state in self.used_classes:
            yield from weighing_counts(state)

    def stale_numbers(self) -> Iterator[StaleNumber]:
        """Yield the numbers that construction takes from a parameter and no load takes again."""
        for state in self.classes:
            yield from stale_numbers(state)

    def stale_buffers(self) -> Iterator[StaleBuffer]:
        """Yield the buffers that are not saved and that methods derive from saved ones."""
        for state in self.classes:
            yield from stale_buffers(state)

    def stale_tensors(self) -> Iterator[StaleTensor]:
        """Yield the plain tensors that methods derive from saved buffers."""
        for state in self.classes:
            yield from stale_tensors(state)

    def late_tensors(self) -> Iterator[LateTensor]:
        """Yield the attributes that become tensors with state after construction."""
        for state in self.used_classes:
            if not is_measure(self.hierarchy, state.identity):
                yield from late_tensors(state)

    def buffer_siblings(self) -> Iterator[BufferSibling]:
        """Yield the tensors that a method leaves beside a buffer."""
        for state in self.used_classes:
            yield from buffer_siblings(state)

    def late_registrations(self) -> Iterator[list[LateRegistration]]:
        """Yield, class by class, the buffers and parameters that are registered after construction."""
        for state in self.used_classes:
            found = [each for each in late_registrations(state) if not self._is_always_made(state, each.attr)]
            if found and not any(each.method in self.called_by_loads for each in found):
                if not self._runs_first(state):
                    yield found

    def _runs_first(self, state: ClassState) -> bool:
        """Tell whether the objects of a class run before they are loaded: in a constructor, or where that is done."""
        if self._runs_before_loads:
            return True
        return any(each in self._run_in_constructors for each in self.hierarchy.relatives(state.identity))

    @cached_property
    def _runs_before_loads(self) -> bool:
        return run_before_loads(self.hierarchy)

    @cached_property
    def _run_in_constructors(self) -> frozenset[str]:
        return run_in_constructors(self.hierarchy)

    def _is_always_made(self, state: ClassState, attr: str) -> bool:
        """Tell whether all that construct a class hand it what lets the constructor register an attribute."""
        parameters = deciding_parameters(state, attr)
        return any(self.handed.is_always_given(state.identity, each) for each in parameters)

    def unsaved_buffers(self) -> Iterator[UnsavedBuffer]:
        """Yield the buffers with `persistent=False`."""
        for state in self.classes:
            yield from unsaved_buffers(state)

    def tensors_before_registration(self) -> Iterator[AttributeWrite]:
        """Yield the writes of tensors that are in the way of a register_buffer."""
        for state in self.used_classes:
            yield from tensors_before_registration(state)

    def registration_results(self) -> Iterator[RegistrationResult]:
        """Yield the attributes that are set to what a registration returns."""
        for state in self.used_classes:
            yield from registration_results(state)


def _set_by(facts: ClassFacts) -> frozenset[str]:
    """Return the names of the attributes that a class itself sets or registers; some are patterns."""
    written = (each.attr for method in facts.methods for each in method.writes)
    return frozenset([*written, *(each.name for method in facts.methods for each in method.registers)])


def _may_share(names: frozenset[str], others: frozenset[str]) -> bool:
    """Tell whether two classes may set the same attribute: a name that is not plain may be any."""
    return not names.isdisjoint(others) or not all(map(str.isidentifier, (*names, *others)))
