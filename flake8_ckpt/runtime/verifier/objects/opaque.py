"""Which objects hold no state that a checkpoint could keep: functions, locks, loggers, files, hooks."""

from __future__ import annotations

import types
import weakref
from functools import lru_cache

# Packages and modules whose objects are machinery of a run.
MACHINERY = (
    "_asyncio",
    "_io",
    "_thread",
    "_weakref",
    "asyncio",
    "concurrent",
    "contextlib",
    "contextvars",
    "ctypes",
    "functools",
    "importlib",
    "inspect",
    "io",
    "logging",
    "multiprocessing",
    "operator",
    "queue",
    "re",
    "socket",
    "subprocess",
    "tempfile",
    "threading",
    "torch._C",
    "torch._dynamo",
    "torch._functorch",
    "torch._higher_order_ops",
    "torch._inductor",
    "torch._library",
    "torch._logging",
    "torch._ops",
    "torch.autograd",
    "torch.cuda.graphs",
    "torch.cuda.streams",
    "torch.distributed",
    "torch.fx",
    "torch.jit",
    "torch.nn.parallel",
    "torch.profiler",
    "torch.utils.hooks",
    "torch.utils.tensorboard",
    "tqdm",
    "typing",
    "unittest",
    "wandb",
    "weakref",
)
# A class of torch's may be mixed into one of the user's, whose attributes are data.
LIBRARIES = frozenset({"torch", "builtins", "abc", "typing", "enum"})
NEVER = (
    type,
    types.ModuleType,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.GeneratorType,
    types.CodeType,
    types.FrameType,
    types.TracebackType,
    types.MappingProxyType,
    weakref.ReferenceType,
    property,
    staticmethod,
    classmethod,
)


def is_opaque(value: object) -> bool:
    """Return whether a value is machinery, not data."""
    return isinstance(value, NEVER) or is_machinery(type(value))


def is_machinery(kind: type) -> bool:
    """Return whether a class, and each that it inherits from outside of torch, is one of the machinery."""
    home = home_of(kind)
    if not is_listed(home):
        return False
    homes = {home_of(base).partition(".")[0] for base in kind.__mro__}
    return not home.startswith("torch") or homes <= LIBRARIES


@lru_cache(maxsize=None)
def is_listed(home: str) -> bool:
    """Return whether a module is one of the machinery, or below one."""
    return any(home == name or home.startswith(f"{name}.") for name in MACHINERY)


def home_of(kind: type) -> str:
    """Return the name of the module that made a class."""
    return str(getattr(kind, "__module__", ""))
