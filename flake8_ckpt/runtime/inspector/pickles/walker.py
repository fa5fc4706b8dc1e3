"""Walk a pickle opcode by opcode, as the unpickler would, without importing or calling anything."""

from __future__ import annotations

from dataclasses import dataclass

from flake8_ckpt.runtime.inspector.budget import Budget
from flake8_ckpt.runtime.inspector.errors import CheckpointError
from flake8_ckpt.runtime.inspector.pickles.machine import GlobalUse
from flake8_ckpt.runtime.inspector.pickles.machine import Machine
from flake8_ckpt.runtime.inspector.pickles.opcodes import read_opcodes
from flake8_ckpt.runtime.inspector.pickles.operations import OPERATIONS
from flake8_ckpt.runtime.inspector.pickles.operations import PUSHES
from flake8_ckpt.runtime.inspector.region import Region
from flake8_ckpt.runtime.inspector.values import Persistent
from flake8_ckpt.runtime.inspector.values import Value

# A rough estimate of the bytes that a value takes here, so that no file fills the memory.
COSTS = {"EMPTY_DICT": 200, "DICT": 200, "EMPTY_LIST": 80, "LIST": 80, "EMPTY_SET": 80, "FROZENSET": 80}
COSTS |= dict.fromkeys(["REDUCE", "NEWOBJ", "NEWOBJ_EX", "OBJ", "INST", "GLOBAL", "STACK_GLOBAL"], 400)
COSTS |= dict.fromkeys(["EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID"], 400)
COSTS |= dict.fromkeys(["PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"], 120)
COSTS |= dict.fromkeys(["MARK", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "SETITEM"], 80)
COST, COST_OF_TEXT = 40, 70


@dataclass(frozen=True)
class Walked:
    """The value of a pickle, what it would import, the byte after its end, and what it refers to outside."""

    value: Value
    globals: tuple[GlobalUse, ...]
    end: int
    references: tuple[Persistent, ...] = ()


class PickleError(CheckpointError):
    """A pickle is damaged; `globals` has what loading it would import before that shows."""

    def __init__(self, message: str, found: tuple[GlobalUse, ...]) -> None:
        super().__init__(message, found)
        self.globals = found

    def __str__(self) -> str:
        return str(self.args[0])


def walk_pickle(region: Region, begin: int, budget: Budget) -> Walked:
    """Return what one pickle describes; raise `PickleError` where it is damaged or too large."""
    machine = Machine(budget.values)
    position = begin
    try:
        for name, argument, position in read_opcodes(region, begin):
            _pay(machine, name, argument, position)
            if name in PUSHES:
                machine.stack.append(PUSHES[name](argument))
            else:
                OPERATIONS[name](machine, argument, position)
        value = machine.pop()
        budget.values = machine.budget
    except (IndexError, TypeError) as error:
        message = f"the pickle is damaged at byte {position:,}: the stack does not fit"
        raise PickleError(message, machine.found) from error
    except CheckpointError as error:
        raise PickleError(str(error), machine.found) from error
    return Walked(value, machine.found, position + 1, tuple(machine.references))


def _pay(machine: Machine, name: str, argument: object, position: int) -> None:
    """Take the price of an opcode from the budget."""
    machine.budget -= COSTS.get(name, COST) + (
        len(argument) * 2 + COST_OF_TEXT if type(argument) is str else 0
    )
    if machine.budget < 0:
        raise CheckpointError(f"the pickle holds too many values to look into (up to byte {position:,})")
