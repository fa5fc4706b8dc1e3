"""The records that say what one file says by itself.

They hold no path and nothing of other files: equal bytes give equal facts. Everything
here is frozen and typed, so that a cache can validate what it reads.
"""

from __future__ import annotations

from typing import Literal
from typing import Optional

from msgspec import Struct

from flake8_ckpt.facts.program_text import Devices
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Value
from flake8_ckpt.findings import Position

WriteKind = Literal["assign", "moved", "augment", "item", "inplace", "weights", "grow", "grad", "delete"]
RegisterKind = Literal["buffer", "parameter", "module", "state", "setattr", "wrapped"]
KeyKind = Literal["required", "defaulted", "guarded", "wholesale"]
Outcome = Literal["swallowed", "returned", "told", "handled"]
GuardKind = Literal[
    "none", "some", "missing", "has", "unset", "set", "tensor", "other", "absent", "present", "weight", "noweight",
    "key", "nokey", "about", "order", "option", "branch", "loop", "nested", "hidden", "remark",
]  # fmt: skip
NOWHERE = Position(1, 0, 1, 0)
# What `Use.how` may say beside a read: of the value that the method was entered with, and of where it goes.
MARKS = frozenset(["held", "input", "relocated", "returned"])


class Guard(Struct, frozen=True, array_like=True, gc=False):
    """A condition around a fact, about the attribute, the local or the key of that name.

    Of attributes: "none" and "some" (`self.x is None`), "missing" and "has" (`hasattr(self, "x")`), "unset" and
    "set" (`not self.x`), "about" (a test that looks at x), "order" (one that compares it: `loss < self.x`). Of
    locals: "tensor" and "other" (`isinstance(n, Tensor)`), "absent" and "present" (`n is None`), "weight" and
    "noweight" (`isinstance(n, nn.Parameter)`). Of keys: "key" and "nokey" (`"k" in mapping`). Of paths: "option" (a
    test of `self.config.x` or `args.x` alone). Without a name: "branch" (any other condition), "loop", "nested" (in a
    function inside), "hidden" (a write past the module's own hooks), "remark" (a comment at the write says
    something of buffers).
    """

    kind: GuardKind
    name: str = ""


Guards = tuple[Guard, ...]
BRANCH = Guard("branch")
LOOP = Guard("loop")
NESTED = Guard("nested")
HIDDEN = Guard("hidden")
REMARK = Guard("remark")


class Write(Struct, frozen=True, array_like=True, gc=False):
    """An attribute of `self` is set or changed.

    `how` is "assign", "moved" (`self.x = self.x.to(v)`), "augment" (`+=`), "item" (`self.x[i] = v`), "inplace"
    (`self.x.add_(v)`), "weights" (`self.x.weight.add_(v)`), "grow" (`self.x.append(v)`), "grad"
    (`self.x.requires_grad = v`) or "delete". `carried` is true where the new value depends on what the attribute
    held when the method was entered, `loaded` where it comes from a payload. `sources` are the attributes that were
    read for it, `guards` the conditions around it, `after` the lines of the same method where the attribute may have
    been assigned or registered before.
    """

    attr: str
    how: WriteKind
    value: Value
    position: Position
    carried: bool = False
    guards: Guards = ()
    loaded: bool = False
    after: tuple[int, ...] = ()
    sources: tuple[str, ...] = ()


class Register(Struct, frozen=True, array_like=True, gc=False):
    """A buffer, parameter, module or metric state is registered on `self`.

    `kind` is "buffer", "parameter", "module", "state", "setattr" (of a computed name) or "wrapped"
    (the attribute's elements were handed to a `ModuleList` or the like). `name` may hold `*` where an
    f-string has a computed part; it is "$p" where it is the parameter p, "*" where nothing is known.
    `after` is as in Write.
    """

    kind: RegisterKind
    name: str
    value: Value
    position: Position
    persistent: bool = True
    guards: Guards = ()
    after: tuple[int, ...] = ()


class Use(Struct, frozen=True, array_like=True, gc=False):
    """How one method reads one attribute of `self`.

    `how` holds "plain", "moved" (`.to(...)`), "meta" (`.shape`), "test" (a condition), "none" (`is None`),
    "cadence" (a condition on its remainder: `self.step % 10 == 0`), "shown" (an argument of a log call),
    "handed" (an argument of `torch.utils.checkpoint.checkpoint`, which calls another function with it),
    "call" (it is called), "iter", "element()" and "element.cuda" (what its elements do), ".name"
    (a method of its own), "own" (`+=` reads it), "apart" (a plain read beside that, or of what the method has
    set). "held" says that some path reads what it holds before this method writes it; "input", "relocated" and
    "returned" that it meets an input as it lies, is moved on its way there, or is given back. `first` is true where
    some path looks at it in any way before this method writes it.
    """

    attr: str
    how: tuple[str, ...]
    first: bool
    position: Position


class Site(Struct, frozen=True, array_like=True, gc=False):
    """A call that linking may follow: of a method, a class, or a function that saves or loads.

    `used` is false where the result is thrown away, or kept in a local that nothing looks at. `scope` says which
    flags hold where it is made, as "args.evaluate", "!args.evaluate" or "mode=train".
    """

    call: Call
    position: Position
    used: bool = True
    guards: Guards = ()
    scope: tuple[str, ...] = ()


class Store(Struct, frozen=True, array_like=True, gc=False):
    """A function that takes part in saving and loading sets something other than an attribute of `self`.

    `target` is an `Attr` or an `Item` of some object, a `Local` that is bound to a new object, or the
    name "return" for what the function gives back.
    """

    target: Value
    value: Value
    position: Position
    guards: Guards = ()
    loaded: bool = False


class KeyRead(Struct, frozen=True, array_like=True, gc=False):
    """A key is taken from a mapping; `kind` is "required", "defaulted", "guarded" or "wholesale".

    `into` names what the value flows into: an attribute, a method that takes it, a local. A wholesale
    read, such as a loop over the mapping, has no key.
    """

    base: Value
    key: str
    kind: KeyKind
    position: Position
    into: tuple[Value, ...] = ()
    guards: Guards = ()


class Handler(Struct, frozen=True, array_like=True, gc=False):
    """An `except` clause: what it catches (nothing for everything), what it does, the lines of its `try` block.

    `outcome` is "swallowed" where nothing but a print tells of the error, "returned" or "told" where the
    function ends as well and gives back None, or something else that is false; else it is "handled". What follows is
    a `second_way` where the `try` ends the function, and the handler prints the error itself.
    `drops` are the locals that the `try` makes, where the handler says the error and leaves the loop or the function.
    It `says` what failed where it prints the error itself. The lines that stand `apart` are those of other branches.
    """

    caught: tuple[str, ...]
    outcome: Outcome
    position: Position
    first_line: int
    last_line: int
    second_way: bool = False
    drops: tuple[str, ...] = ()
    says: bool = False
    apart: tuple[tuple[int, int], ...] = ()


class Skip(Struct, frozen=True, array_like=True, gc=False):
    """An `if` with no `else` that asks for keys of a mapping: `reads` are the indices of the key reads it asks."""

    reads: tuple[int, ...]
    position: Position


class BestMetric(Struct, frozen=True, array_like=True, gc=False):
    """A local, or an attribute as `self.best`, that holds the best value so far of what it is compared with.

    `begins` is the statement of the function that sets it to a constant, `blocks` are the first and last lines of
    what a better value decides; `anew` where all that is saved there goes to a path that every run makes anew.
    `tells` are the places of the function's result that say whether a value is the best.
    """

    name: str
    begins: Optional[Position]
    blocks: tuple[tuple[int, int], ...]
    anew: bool = False
    tells: tuple[int, ...] = ()


# The place of a result that is not taken apart.
WHOLE = -1


class Verdict(Struct, frozen=True, array_like=True, gc=False):
    """A call whose result, at one place, decides whether a block of lines runs that may save; `anew` as of a metric."""

    position: Position
    place: int
    block: tuple[int, int]
    anew: bool = False


class StepCounter(Struct, frozen=True, array_like=True, gc=False):
    """A local that a loop counts up and that drives a schedule; `shared` where it is a variable of the module.

    `begins` is the statement that sets it to a constant. It `decays` where it is itself the rate that is used.
    """

    name: str
    begins: Position
    shared: bool = False
    decays: bool = False


class Parameter(Struct, frozen=True, array_like=True, gc=False):
    """A parameter of a function, with the value its annotation promises and its default."""

    name: str
    annotation: Optional[Value] = None
    default: Optional[Value] = None


class FunctionFacts(Struct, frozen=True, array_like=True, gc=False):
    """The summary of one function, in terms of its parameters and of `self`.

    `leaves` are the first and last lines of the branches after which the function is over, `fills` the parameters
    that it changes in place, `moves` those that it moves to another device, or asserts to lie on one.
    """

    name: str
    position: Position
    parameters: tuple[Parameter, ...] = ()
    decorators: tuple[str, ...] = ()
    returns: Optional[Value] = None
    writes: tuple[Write, ...] = ()
    registers: tuple[Register, ...] = ()
    uses: tuple[Use, ...] = ()
    calls: tuple[Site, ...] = ()
    key_reads: tuple[KeyRead, ...] = ()
    stores: tuple[Store, ...] = ()
    handlers: tuple[Handler, ...] = ()
    contract: bool = False
    skips: tuple[Skip, ...] = ()
    leaves: tuple[tuple[int, int], ...] = ()
    fills: tuple[str, ...] = ()
    moves: tuple[str, ...] = ()
    best_metrics: tuple[BestMetric, ...] = ()
    step_counters: tuple[StepCounter, ...] = ()
    verdicts: tuple[Verdict, ...] = ()


class ClassFacts(Struct, frozen=True, array_like=True, gc=False):
    """A class: its bases as names, its class attributes, and the methods that can matter.

    `methods` holds a summary for each method that was read; `method_names` names them all;
    `graph` says which methods of its own object each method calls; `statistics` are the attributes
    whose names are those of running statistics (a mean, a variance, a count), for classes that have any;
    `divides` is true where the class divides by one of them, `stateless` where its objects hold no weights for sure.
    It is `named` where a decorator takes it, or the file names it outside of its own text. `listed` are the attributes
    that its lists name; it `keeps_listed` where it saves or restores what `getattr(self, name)` gives.
    """

    name: str
    position: Position
    bases: tuple[str, ...] = ()
    attributes: tuple[tuple[str, Value], ...] = ()
    methods: tuple[FunctionFacts, ...] = ()
    method_names: tuple[str, ...] = ()
    graph: tuple[tuple[str, tuple[str, ...]], ...] = ()
    statistics: tuple[str, ...] = ()
    divides: bool = False
    stateless: bool = False
    named: bool = True
    listed: tuple[str, ...] = ()
    keeps_listed: bool = False


class FileFacts(Struct, frozen=True, array_like=True, gc=False):
    """All that one file says; `error` tells why it could not be read.

    The function named "<module>" is what the file does when it runs. `updates` are the method calls that
    may update statistics, each as the last name of its receiver and the method: ("ob_rms", "update").
    A file that `runs` is a program; its `devices` are "moved" where it takes modules to one, "default" where all
    that is made lies on one.
    `constants` are the strings that module variables and class attributes name: ("Keys.NET", "net").
    `normalized` are the last names of the objects whose statistics the file takes off or divides by,
    `taken` the names of statistics that it takes out of other objects ("obs_rms" for `env.obs_rms`).
    `inner_imports` are the dotted names that its functions import, and modules that it imports as `import a.b`.
    `dynamic_imports` are the names of modules that it puts together, with "*" for what is computed.
    """

    imports: tuple[tuple[str, str], ...] = ()
    stars: tuple[str, ...] = ()
    classes: tuple[ClassFacts, ...] = ()
    functions: tuple[FunctionFacts, ...] = ()
    updates: tuple[tuple[str, str], ...] = ()
    constants: tuple[tuple[str, str], ...] = ()
    normalized: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()
    error: str = ""
    error_line: int = 0
    devices: Devices = ""
    runs: bool = False
    inner_imports: tuple[str, ...] = ()

    @property
    def is_mute(self) -> bool:
        """Tell whether no finding can stand in the file: nothing is said of code outside of functions."""
        return not self.error and not self.functions and not any(each.methods for each in self.classes)

    dynamic_imports: tuple[str, ...] = ()
