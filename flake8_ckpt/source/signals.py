"""The words that tell, before anything is evaluated, what a piece of text may do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import replace
from functools import lru_cache

from flake8_ckpt.frameworks.known import Frameworks
from flake8_ckpt.source.running_statistics import normalized_in

# Each pattern begins with what is literally there, and asks for the start of the word after it: the search
# then leaps from one place to the next, where a leading `\b` looks at every character.
GATE = re.compile(r"\bclass\b|\bimport\b|state_dict|\bsave|\bload|dump|pickle|checkpoint|torch|numpy")
SELF_ATTRIBUTE = re.compile(r"self\.(?<!\wself\.)(\w+)")
# `self.statistics.normalize_obs(x)`: whatever the attribute is called.
NORMALIZES = re.compile(r"self\.(?<!\wself\.)\w+\.(?:un|de)?normali[sz]e\w*\(")
# `policy.ob_rms = Moments(8)`: statistics of any object are set.
SETS_STATISTICS = re.compile(r"\.\w*rms\s*=(?!=)")
IN_CLAUSE = re.compile(r"in\b(?<!\win)([^\n]*)")
REGISTERS = re.compile(
    r"\b(_?register_\w*hook|register_buffer|register_parameter|register_module|add_module|add_state"
    r"|__setattr__|setattr)\b"
)
REGISTERED = re.compile(r"register_(?:buffer|parameter)\(\s*[\"'](\w+)")
# `Embedder(tables=nn.ModuleList(...))`: what is handed to a constructor.
HANDS_LISTS = re.compile(
    r"\(\s*(?:\w+\s*=\s*)?(?:\w+\.)?Module(?:List|Dict)\(|^\s+\w+\s*=\s*(?:\w+\.)?Module(?:List|Dict)\(", re.M
)
LATE_REGISTERS = re.compile(r"\b(Parameter|Buffer)\s*\(")
INPLACE = re.compile(r"self\.(?<!\wself\.)(\w+)\.(?:data\.)?\w*[a-z0-9]_\(")
GROWS = re.compile(
    r"self\.(?<!\wself\.)(\w+)\s*"
    r"(?:\.(?:append|extend|insert|update|setdefault|add|appendleft)\(|\[[^\n]*\]\s*=(?!=))"
)
# A part of an object that an attribute holds is set: `self.progress.step += 1`, `self.policy.ob_rms = X()`.
SETS_FIELD = re.compile(r"self\.(?<!\wself\.)\w+(?:\.\w+)+\s*[-+*/]?=(?!=)")
# What is not the object's own is set to zero: `trainer.epoch = 0`, `self.progress.step = 0`.
ZEROES_FIELD = re.compile(r"\.(?<!self\.)\w+\s*=\s*0(?:\.0*)?\s*(?:#.*)?$", re.MULTILINE)
LOCAL_GROWS = re.compile(
    r"^[ \t]*(\w+)(?:\.(?:append|extend|insert|update|setdefault)\(|\[[^\n]*\]\s*=(?!=))", re.MULTILINE
)
ASKS = re.compile(r"if(?<!\wif)\s+(?:not\s+)?self\.\w*(?:fit|init|calibrat|estimat|trained)\w*")
CALLS = re.compile(r"\b(?:self|super\([^()]*\)|cls)\.(\w+)\s*\(")
OWN_CALLS = re.compile(r"self\.(?<!\wself\.)(\w+)\s*\(")
SAVES = re.compile(
    r"\.(?=save|load|dump)(?:(?<=\btorch\.)|(?<=\bth\.)|(?<=\bpickle\.)|(?<=\bjoblib\.)|(?<=\bcloudpickle\.)"
    r"|(?<=\bdill\.)|(?<=\bfabric\.)|(?<=\baccelerator\.)|(?<=\bsafetensors\.))\w+[(,]"
    r"|\.(?<=\bnp\.)(?:savez\w*|load)\(|\.load_state_dict\("
    r"|(?:save_file(?<!\wsave_file)|load_file(?<!\wload_file)|safe_open(?<!\wsafe_open))\("
)
# Calls of what may save or restore something: methods and helper functions of the project, or of a library.
# Each is told by a word, and looked for where the text has it: `load_agent(`, `.load(`, `_save_all(`, `ckpt["x"]`.
_OF_STATE = (
    r"_(?:\w+_)?(?:checkpoints?|ckpts?|models?|states?|agents?|snapshots?|weights|params|parameters|policy|policies"
    r"|stats|networks?|nets?|dicts?|trainer|run)\("
)
LINKS = {
    "state_dict": re.compile("state_dict"),
    "checkpoint": re.compile(r"checkpoint(?:(?<!\wcheckpoint)\w*\[|(?<=from_checkpoint)\s*=)"),
    "ckpt": re.compile(r"ckpt(?:(?<!\wckpt)\w*\[|_path\s*=)"),
    **{
        word: re.compile(
            rf"{word}(?:(?<=\.{word})\(|(?<!\w{word})\w*\(|(?<=_{word})(?<!\w_{word})\w*\(|{_OF_STATE})"
        )
        for word in ("save", "restore", "resume")
    },
    "load": re.compile(rf"load(?:(?<=\.load)\(|{_OF_STATE})"),
    **{f"{word}_": re.compile(f"{word}{_OF_STATE}") for word in ("write", "read", "get", "set")},
}
NO_LINKS = re.compile(
    r"(?:json(?<!\wjson)|yaml(?<!\wyaml)|toml(?<!\wtoml)|ET(?<!\wET)|etree(?<!\wetree)|csv(?<!\wcsv))"
    r"\.(?:load|save|dump)s?\(|save_for_backward\(|savefig\(|save_pretrained\(|savetxt\("
    r"|\.save_vocabulary\(|save_(?<!\wsave_)(?:image\(|(?:video|figure|audio|plot|img|images)\w*\()"
)
# A class that lets an object of its own save itself, in a method of any name, may hold what belongs beside it.
HANDS_ON = re.compile(
    r"self\.(?<!\wself\.)(?:agent|policy|model|trainer|algo|algorithm|runner|learner|network)\."
    r"(?:save|load|restore|resume)(?:_checkpoint|_model|_state|_agent)?\("
)
# A class that holds nothing of this may still make what resumes: `runner.load(path)` in a method of a registry.
RESTORES = re.compile(r"\.(?:load|restore|resume)(?:_\w+)?\(")
# Who trains holds optimizers, schedulers and scalers: `scheduler.step()`, `torch.optim.Adam(...)`.
TRAIN_WORDS = (".step()", "scaler.step(", "zero_grad(", ".backward()", "GradScaler(", "optim.")
# Objects with running statistics: whoever makes one may have to save it.
NORMALIZERS = re.compile(
    r"\b\w*(?:Normali[sz]|RunningMean|RunningStat|MeanStd|Rms\b|RMS\b|MovingStat|MeanVar)\w*\("
)
LAYERS = re.compile(
    r"\b\w*(?:RMSNorm|LayerNorm|BatchNorm|GroupNorm|InstanceNorm|RMSprop|NormalizeFeatures|transforms\.Normalize)\w*\(",
    re.I,
)
# Programs of these packages make, normalize, train and save in functions of their own: all of them are read.
ENVIRONMENTS = re.compile(r"^(stable_baselines3?|sb3_contrib|sbx)(\.|$)|(^|\.)VecNormalize$")
HOOKS = frozenset(
    "state_dict load_state_dict get_extra_state set_extra_state __getstate__ __setstate__ get_parameters"
    " set_parameters on_save_checkpoint on_load_checkpoint get_weights set_weights _save_to_state_dict"
    " _load_from_state_dict _apply _excluded_save_params _get_torch_save_params __deepcopy__ __reduce__".split()
)
ENTRIES = re.compile(r"^(train|fit|learn|run|train_loop|main_loop)$")
KEEPS = re.compile(r"^_*(?:(?:save|load|restore|resume|get|set)_?\w*)$")
# The two ends of an object's state, whatever they are called: `get_state` and `set_state`, `pack_snapshot` and
# `unpack_snapshot`, `dump_stats` and `restore_stats`.
GIVES = re.compile(
    r"^_*(?:get|pack|dump|save|collect|export|serialize)_\w*(?:state|snapshot|checkpoint|ckpt|stats)"
    r"|^\w*state(?:_dict)?$|^_*to_\w*(?:dict|json)$"
)
TAKES = re.compile(
    r"^_*(?:set|unpack|load|restore|apply|import|deserialize|resume|from)_\w*(?:state|snapshot|checkpoint|ckpt|stats)"
    r"|^_*from_\w*(?:dict|json)$"
)
TRIVIAL_BASES = re.compile(
    r"(^|\.)(object|ABC|Generic|Enum|IntEnum|StrEnum|str|int|float|dict|list|tuple|type|NamedTuple|TypedDict|Protocol"
    r"|\w*Exception|\w*Error"
    r"|Warning|TestCase|Dataset|IterableDataset|Sampler|BatchSampler|DataLoader|Optimizer"
    r"|Function|Thread|Process|Distribution|Handler|Formatter|Action|JSONEncoder|UserDict|Mapping|MutableMapping"
    r"|Sequence|Iterator|Iterable|Callable|Hashable"
    r"|\w*Config|\w*Tokenizer|\w*TokenizerFast|\w*Processor|ProcessorMixin|ModelOutput)$"
)
DULL_NAMES = re.compile(
    r"(^|_)(keys?|specs?|device|dtype|shape|sizes?|names?|types?|kwargs|config|cfg|vocab|path|paths|url|lock|process"
    r"|queues?|threads?|pipes?|workers?|jobs|closed|space|callbacks?|hooks?|logger|timer|tokens?|tokenizer|merges"
    r"|strings?|labels|columns|args|options)$"
)
BUILDING = re.compile(r"\b(?:torch|th|np|numpy|nn|F)\.|ensor|Parameter|Variable")
LOGGERS = frozenset(
    "logger logging log warnings print LOG LOGGER _logger rank_zero_warn rank_zero_info".split()
)
# A best value of an object that is compared: `loss < self.best_loss`, `self._lowest > loss`.
BEST = re.compile(
    r"[<>]=? self\.\w*(?:best|lowest|highest|m(?:ax|in)_mean)|self\.\w*(?:best|lowest|highest)\w* [<>]"
)
NORMALIZER_WORDS = ("Normali", "Running", "Mean", "Rms", "RMS", "Moving")
CONSTRUCTORS = frozenset(["__init__", "__new__", "__post_init__"])
# The verdicts on so many texts are kept: those of one class are asked for again when its methods are walked.
REMEMBERED = 256


def may_hold_facts(text: str) -> bool:
    """Tell from the text alone whether a file can define, save, load or pass on anything of interest."""
    return GATE.search(text) is not None


# Words that many libraries use for something else: `json.dumps(`. The user's own records may say them.
COMMON = re.compile(r"\.(?:dump|load)s?\($")


@dataclass(frozen=True)
class Signals:
    """Tells what a text may do: `calls` and `classes` are what else is known to save, to load or to normalize."""

    calls: tuple[str, ...]
    classes: tuple[str, ...]

    def within(self, text: str) -> Signals:
        """Return what tells the same of all parts of a text."""
        return Signals(_those_in(text, self.calls), _those_in(text, self.classes))

    def takes_part(self, text: str) -> bool:
        """Tell whether a function's text may take part in saving, restoring, replacing, training or normalizing."""
        is_part = self.saves(text) or links(text) or self.normalizes(text)
        return is_part or _zeroes_field(text) or trains(text)

    def saves(self, text: str) -> bool:
        """Tell whether a function's text saves something or loads it."""
        return _has_any(self.calls, text) or _saves(text)

    def normalizes(self, text: str) -> bool:
        """Tell whether a function's text seems to make an object with running statistics, or to normalize with one."""
        return _has_any(self.classes, text) or _normalizes(text)

    def with_classes(self, names: Iterable[str]) -> Signals:
        """Return what tells the same, and takes the objects of some more classes for normalizers."""
        return replace(self, classes=(*self.classes, *(f"{name}(" for name in names)))


@lru_cache(maxsize=4)
def signals_of(known: Frameworks) -> Signals:
    """Return what tells what a text may do, given what is known of libraries."""
    own = {name for each in (*known.own.save, *known.own.load) for name in each.names}
    found = {(_called_part(name, each.kind), name in own) for name, each in known.calls.items()}
    calls = sorted(each for each, is_own in found if is_own or not _is_seen(f".{each}"))
    records = (*known.own.stateful, *known.own.wrapper)
    shortest = (each for each in calls if not any(other in each and other != each for other in calls))
    classes = {_called_part(name, "class") for each in records for name in each.names}
    for name, wrapper in known.environment_wrappers.items():
        classes.add(f"{wrapper.flag}=" if wrapper.flag else _called_part(name, "class"))
    return Signals(tuple(shortest), tuple(sorted(classes)))


def _is_seen(call: str) -> bool:
    """Tell whether a call needs no word of its own: it is one that links, saves, or means nothing by itself."""
    return _links(call) or SAVES.search(call) is not None or COMMON.search(call) is not None


def _called_part(name: str, kind: str) -> str:
    """Return what the text of a call has of a dotted name: `async_save(`, `Checkpoint.from_dict(`, or `Pickler(`.

    The class stands for its methods, because an object may have any name.
    """
    *_, owner, last = ("", *name.split("."))
    if kind == "class method":
        return f"{owner}.{last}("
    return f"{owner}(" if kind == "method" else f"{last}("


def _has_any(words: Iterable[str], text: str) -> bool:
    for word in words:
        if word in text:
            return True
    return False


def _those_in(text: str, words: Iterable[str]) -> tuple[str, ...]:
    return tuple(word for word in words if word in text)


@lru_cache(maxsize=REMEMBERED)
def _saves(text: str) -> bool:
    return ("save" in text or "load" in text or "dump" in text) and SAVES.search(text) is not None


@lru_cache(maxsize=REMEMBERED)
def links(text: str) -> bool:
    """Tell whether a function's text may save or restore something, by itself or through what it calls."""
    return _links(text) and _links(NO_LINKS.sub("", text))


def _links(text: str) -> bool:
    for word, pattern in LINKS.items():
        if word in text and pattern.search(text) is not None:
            return True
    return False


def trains(text: str) -> bool:
    """Tell whether a function's text steps optimizers, or makes what is stepped."""
    return _has_any(TRAIN_WORDS, text)


def tells_best(text: str) -> bool:
    """Tell whether a method compares a best value of its object and gives something back: its caller may save."""
    return "return " in text and "self." in text and BEST.search(text) is not None


def hands_on(text: str) -> bool:
    """Tell whether a method lets an attribute save or restore itself."""
    return "self." in text and HANDS_ON.search(text) is not None


def lets_restore(text: str) -> bool:
    """Tell whether a function's text lets an object restore itself."""
    return links(text) and RESTORES.search(NO_LINKS.sub("", text)) is not None


def _zeroes_field(text: str) -> bool:
    """Tell whether a function's text begins anew what another object counts."""
    return "= 0" in text and ZEROES_FIELD.search(text) is not None


@lru_cache(maxsize=REMEMBERED)
def _normalizes(text: str) -> bool:
    if any(name != "self" for name in normalized_in(text)):
        return True
    if "rms" in text and SETS_STATISTICS.search(text) or "normali" in text and NORMALIZES.search(text):
        return True
    if not _has_any(NORMALIZER_WORDS, text) or NORMALIZERS.search(text) is None:
        return False
    return NORMALIZERS.search(LAYERS.sub("", text)) is not None


def own_calls(text: str) -> list[str]:
    """Return the names of the methods that a text calls on `self`, on `cls` or on `super()`."""
    return (CALLS if "super(" in text or "cls." in text else OWN_CALLS).findall(text)


def loops_over(text: str, attrs: frozenset[str]) -> bool:
    """Tell whether a loop or a test in a text looks into some attributes of `self`: `for x in self.layers`."""
    return any(not attrs.isdisjoint(SELF_ATTRIBUTE.findall(tail)) for tail in IN_CLAUSE.findall(text))
