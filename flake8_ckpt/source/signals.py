"""The words that tell, before anything is evaluated, what a piece of text may do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from flake8_ckpt.frameworks.known import DEFAULT
from flake8_ckpt.frameworks.known import Frameworks

GATE = re.compile(r"\bclass\b|\bimport\b|state_dict|\bsave|\bload|dump|pickle|checkpoint|torch|numpy")
REGISTERS = re.compile(
    r"\b(_?register_\w*hook|register_buffer|register_parameter|register_module|add_module|add_state"
    r"|__setattr__|setattr)\b"
)
LATE_REGISTERS = re.compile(r"\b(Parameter|Buffer)\s*\(")
INPLACE = re.compile(r"\bself\.(\w+)\.(?:data\.)?\w*[a-z0-9]_\(")
GROWS = re.compile(
    r"\bself\.(\w+)\s*(?:\.(?:append|extend|insert|update|setdefault|add|appendleft)\(|\[[^\n]*\]\s*=(?!=))"
)
LOCAL_GROWS = re.compile(
    r"^[ \t]*(\w+)(?:\.(?:append|extend|insert|update|setdefault)\(|\[[^\n]*\]\s*=(?!=))", re.MULTILINE
)
ASKS = re.compile(r"\bif\s+(?:not\s+)?self\.\w*(?:fit|init|calibrat|estimat|trained)\w*")
CALLS = re.compile(r"\b(?:self|super\([^()]*\)|cls)\.(\w+)\s*\(")
BUILDS = re.compile(r"\b(?:torch|np|numpy|F|nn)\.\w")
SAVES = re.compile(
    r"\b(?:torch|th|pickle|joblib|cloudpickle|dill|fabric|accelerator|safetensors)\.(?:save|load|dump)\w*[(,]"
    r"|\bnp\.(?:savez\w*|load)\(|\b(?:save_file|load_file|safe_open)\(|\.load_state_dict\("
)
# Calls of what may save or restore something: methods and helper functions of the project, or of a library.
LINKS = re.compile(
    r"\.(?:save|load|restore|resume)\(|\b_?\w*(?:save|load|restore|resume|write|read|get|set)_(?:\w+_)?"
    r"(?:checkpoints?|ckpts?|models?|states?|agents?|snapshots?|weights|params|parameters|policy|policies|stats"
    r"|networks?|nets?|dicts?|trainer|run)\("
    r"|\b(?:checkpoint|ckpt)\w*\[|state_dict|\b_?save\w*\(|\b_?(?:restore|resume)\w*\("
)
NO_LINKS = re.compile(
    r"\b(?:json|yaml|toml|ET|etree|csv)\.(?:load|save|dump)s?\(|save_for_backward\(|savefig\("
    r"|save_pretrained\(|savetxt\("
    r"|\.save_vocabulary\(|\bsave_image\(|\bsave_(?:video|figure|audio|plot|img|images)\w*\("
)
# A class that lets an object of its own save itself, in a method of any name, may hold what belongs beside it.
HANDS_ON = re.compile(
    r"\bself\.(?:agent|policy|model|trainer|algo|algorithm|runner|learner|network)\."
    r"(?:save|load|restore|resume)(?:_checkpoint|_model|_state|_agent)?\("
)
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
NORMALIZER_WORDS = ("Normali", "Running", "Mean", "Rms", "RMS", "Moving")
LINK_WORDS = ("save", "load", "restore", "resume", "state_dict", "checkpoint", "ckpt", "set_", "get_")
CONSTRUCTORS = frozenset(["__init__", "__new__", "__post_init__"])
MAX_HELPER = 2500


def may_hold_facts(text: str) -> bool:
    """Tell from the text alone whether a file can define, save, load or pass on anything of interest."""
    return GATE.search(text) is not None


# Words that many libraries use for something else: `json.dumps(`. The user's own records may say them.
COMMON = re.compile(r"\.(?:dump|load)s?\($")


def _called_part(name: str, kind: str) -> str:
    """Return what the text of a call has of a dotted name: `async_save(`, `Checkpoint.from_dict(`, or `Pickler(`.

    The class stands for its methods, because an object may have any name.
    """
    *_, owner, last = ("", *name.split("."))
    if kind == "class method":
        return f"{owner}.{last}("
    return f"{owner}(" if kind == "method" else f"{last}("


@dataclass(frozen=True)
class Signals:
    """Tells what a text may do, given what is known of libraries."""

    known: Frameworks = DEFAULT

    def takes_part(self, text: str) -> bool:
        """Tell whether a function's text may take part in saving, restoring or normalizing."""
        return self.saves(text) or self.links(text) or self.normalizes(text)

    def saves(self, text: str) -> bool:
        """Tell whether a function's text saves something or loads it."""
        if ("save" in text or "load" in text or "dump" in text) and SAVES.search(text) is not None:
            return True
        return any(word in text for word in self._calls)

    @cached_property
    def _calls(self) -> tuple[str, ...]:
        """Return what else begins a call that saves or loads: of a function, or of a class whose objects save."""
        own = {name for each in (*self.known.own.save, *self.known.own.load) for name in each.names}
        found = {(_called_part(name, each.kind), name in own) for name, each in self.known.calls.items()}
        seen = (SAVES, LINKS, COMMON)
        return tuple(
            sorted(
                each
                for each, is_own in found
                if is_own or not any(pattern.search(f".{each}") for pattern in seen)
            )
        )

    @cached_property
    def _own_classes(self) -> tuple[str, ...]:
        """Return what makes an object of a class that a user's record speaks of."""
        records = (*self.known.own.stateful, *self.known.own.wrapper)
        return tuple(_called_part(name, "class") for each in records for name in each.names)

    def links(self, text: str) -> bool:
        """Tell whether a function's text may save or restore something, by itself or through what it calls."""
        if not any(word in text for word in LINK_WORDS) or LINKS.search(text) is None:
            return False
        return LINKS.search(NO_LINKS.sub("", text)) is not None

    def hands_on(self, text: str) -> bool:
        """Tell whether a method lets an attribute save or restore itself."""
        return "self." in text and HANDS_ON.search(text) is not None

    def normalizes(self, text: str) -> bool:
        """Tell whether a function's text seems to make an object with running statistics."""
        if any(word in text for word in self._own_classes):
            return True
        if not any(word in text for word in NORMALIZER_WORDS) or NORMALIZERS.search(text) is None:
            return False
        return NORMALIZERS.search(LAYERS.sub("", text)) is not None
