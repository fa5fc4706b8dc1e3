"""The records: what a line of the data may say. One class for each kind of table in the TOML files.

`names` are dotted names as code imports them, re-exports included; a method stands below its class. The name of
a parameter comes with its position, counted from 0 without `self`; one without a position is keyword-only.
A parameter is `*objects` where all arguments from its position on are meant, `**items` where the keywords are.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Kind = Literal["function", "method", "class method", "constructor"]
Writes = Literal["payload", "extra", "module", "registered", "self", "configuration", "files"]
Target = Literal["file", "bytes", "state"]
Returns = Literal["payload", "object", "remainder", "report", "nothing", "other"]
Role = Literal[
    "optimizer",
    "scheduler",
    "grad_scaler",
    "ema",
    "normalizer",
    "encoder",
    "counter",
    "best_metric",
    "dataloader",
    "sampler",
    "rng",
    "metric",
    "replay_buffer",
    "collector",
    "trainer",
    "module",
    "container",
    "stateless",
]
Identifier = Literal["outside class", "class", "method", "function", "attribute", "key"]
Hinted = Literal[
    "scheduler",
    "optimizer",
    "grad_scaler",
    "ema",
    "normalizer",
    "not torch",
    "mean",
    "spread",
    "count",
    "updates",
    "normalizes",
    "restores",
    "begins with saved state",
    "writes bytes",
    "counter",
    "training state",
    "best metric",
    "loads",
    "takes over",
    "takes all",
    "sets up mixed precision",
    "takes out mixed precision",
]
Named = Literal["function", "method", "hook", "attribute", "class", "constant", "namespace", "variable"]

# What is asked of which names; a hint of anything else would never be heard.
ASKED: dict[Identifier, tuple[Hinted, ...]] = {
    "outside class": ("scheduler", "optimizer", "grad_scaler", "ema", "normalizer", "not torch"),
    "class": ("scheduler", "optimizer", "grad_scaler", "ema", "normalizer"),
    "attribute": ("mean", "spread", "count"),
    "method": ("updates", "normalizes", "begins with saved state", "restores", "writes bytes"),
    "function": (
        "loads",
        "takes over",
        "takes all",
        "sets up mixed precision",
        "takes out mixed precision",
    ),
    "key": ("normalizer", "counter", "training state", "best metric"),
}


class Record(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What every record has: the names it speaks of, a remark, and what it was checked against."""

    names: tuple[str, ...]
    note: str = ""
    source: str = ""


class SaveCall(Record, frozen=True):
    """A call that writes a checkpoint, or turns state into bytes or a mapping.

    `writes` says whose state: that of an argument, of the module in `state_of`, of the receiver itself, of what was
    registered with it before, or of that and an "extra" argument. `variables` are names under which the receiver
    of a method is known where its class is not. `file` is "self" where the receiver was made with the file.
    `settings` are keywords that are no keys where the others are, `pickles` says that objects are written with
    their classes.
    A `foreign` call writes arrays of another library: what it is given counts where state of torch is in it.
    `keys` are those of the file, `omits` is what one would expect in it, and is not.
    """

    kind: Kind = "function"
    variables: tuple[str, ...] = ()
    writes: Writes = "payload"
    to: Target = "file"
    payload: str = ""
    payload_at: int | None = None
    file: str = ""
    file_at: int | None = None
    state_of: str = ""
    state_of_at: int | None = None
    settings: tuple[str, ...] = ()
    pickles: bool = False
    foreign: bool = False
    keys: tuple[str, ...] = ()
    omits: tuple[str, ...] = ()


class LoadCall(Record, frozen=True):
    """A call that reads a checkpoint; `payload` where it is given what was read before, not a file.

    `fills` is what it changes in place: a parameter, "self" or "registered"; else everything is in what it returns.
    """

    kind: Kind = "function"
    variables: tuple[str, ...] = ()
    payload: str = ""
    payload_at: int | None = None
    file: str = ""
    file_at: int | None = None
    fills: str = ""
    fills_at: int | None = None
    also_fills: tuple[str, ...] = ()
    returns: Returns = "payload"
    keys: tuple[str, ...] = ()
    omits: tuple[str, ...] = ()


class StatefulClass(Record, frozen=True):
    """A class, or a function that gives an object, whose objects have state: `take` and `put` move it."""

    role: Role
    is_module: bool | None = None
    take: str = ""
    put: str = ""
    changed_by: tuple[str, ...] = ()
    used_by: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    omits: tuple[str, ...] = ()


class NormalizingWrapper(Record, frozen=True):
    """A wrapper of environments that normalizes with running statistics; `switch` is the attribute that stops it.

    Where `flag` is set, the environment normalizes only if its maker is given that keyword.
    """

    wraps: str = ""
    statistics: tuple[str, ...] = ()
    statistics_class: str = ""
    other_state: tuple[str, ...] = ()
    normalizes: tuple[str, ...] = ()
    updates_in: tuple[str, ...] = ()
    switch: str = ""
    flag: str = ""
    save: str = ""
    load: str = ""
    is_module: bool = False


class Hook(Record, frozen=True):
    """A method that a library calls when it saves or loads.

    `payload` is "return" or the parameter that is the mapping; `partner` is the method that does the reverse.
    """

    when: Literal["save", "load"]
    payload: str = ""
    payload_at: int | None = None
    partner: str = ""
    keys: tuple[str, ...] = ()
    called_by: str = ""


class Registry(Record, frozen=True):
    """A call that puts an object under the care of another: it is saved from then on, or called as a hook.

    Where it is some call that saves all of them, `saved_by` names it.
    """

    object: str = ""
    object_at: int | None = None
    key: str = ""
    key_at: int | None = None
    requires: tuple[str, ...] = ()
    saved_unless: str = ""
    saved_by: str = ""
    when: Literal["save", "load"] | None = None
    hook_arguments: tuple[str, ...] = ()


class TakeOver(Record, frozen=True):
    """A call that wraps objects for a library, which saves them itself where `saved_by` names the call."""

    kind: Kind = "function"
    variables: tuple[str, ...] = ()
    object: str = ""
    object_at: int | None = None
    also_objects: tuple[str, ...] = ()
    saved_by: str = ""


class ModuleBase(Record, frozen=True):
    """Classes that are `nn.Module`s, or are none though they look like it.

    `wraps` is the attribute with the module that is wrapped, `key_prefix` what stands before its keys.
    All classes below a name of `names` count where `is_namespace` is true.
    The library saves and restores objects of these classes by itself where `kept` is true.
    """

    is_module: bool = True
    is_namespace: bool = False
    kept: bool = False
    wraps: str = ""
    key_prefix: str = ""


class Hint(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What an identifier hints where nothing else is known: `pattern` is searched for in the name.

    An outside class is asked by its dotted name, everything else by its last name.
    """

    of: Identifier
    says: Hinted
    pattern: str
    note: str = ""


class Vocabulary(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What some names of one library mean: those listed, or those that `pattern` matches.

    A hook is a method that the library calls; with more dots than none, a name is the one that code imports.
    """

    library: str
    of: Named
    says: str
    names: tuple[str, ...] = ()
    pattern: str = ""
    note: str = ""


class Records(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """All that is known, or what one file says: a tuple for each kind of table."""

    save: tuple[SaveCall, ...] = ()
    load: tuple[LoadCall, ...] = ()
    stateful: tuple[StatefulClass, ...] = ()
    wrapper: tuple[NormalizingWrapper, ...] = ()
    hook: tuple[Hook, ...] = ()
    registry: tuple[Registry, ...] = ()
    takes_over: tuple[TakeOver, ...] = ()
    module_base: tuple[ModuleBase, ...] = ()
    hint: tuple[Hint, ...] = ()
    vocabulary: tuple[Vocabulary, ...] = ()


TABLES: dict[str, type[Struct]] = {
    "save": SaveCall,
    "load": LoadCall,
    "stateful": StatefulClass,
    "wrapper": NormalizingWrapper,
    "hook": Hook,
    "registry": Registry,
    "takes_over": TakeOver,
    "module_base": ModuleBase,
    "hint": Hint,
}
# Not for a user's file: the words of torch, numpy and Python are what the linter itself is made for.
OUR_TABLES: dict[str, type[Struct]] = {**TABLES, "vocabulary": Vocabulary}
