"""Guess the value of a parameter from its annotation and its name, as expressions that can be shown and run again."""

from __future__ import annotations

import enum
import inspect
import re
import typing
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any

import torch
from torch import nn

from flake8_ckpt.runtime.prove.parameter_names import is_known
from flake8_ckpt.runtime.prove.parameter_names import values_for

BY_WORD: Mapping[str, tuple[str, ...]] = {
    "int": ("{n}", "2"),
    "float": ("0.1", "1.0"),
    "bool": ("True", "False"),
    "str": ("'mean'", "'cpu'", "'relu'", "''"),
    "Tensor": ("torch.rand({n}, {n})", "torch.rand({n})"),
    "ndarray": ("numpy.ones({n}, dtype='float32')", "numpy.ones(({n}, {n}), dtype='float32')"),
    "Module": ("nn.Linear({n}, {n})", "nn.Identity()"),
    "Callable": ("nn.ReLU", "torch.relu", "(lambda *args, **options: nn.Linear({n}, {n}))"),
    "Sequence": ("[{n}, {n}]", "[{n}]"),
    "Iterable": ("[{n}, {n}]", "[{n}]"),
    "List": ("[{n}, {n}]", "[{n}]"),
    "list": ("[{n}, {n}]", "[{n}]"),
    "Tuple": ("({n},)", "({n}, {n})", "(3, 16, 16)"),
    "tuple": ("({n},)", "({n}, {n})", "(3, 16, 16)"),
    "Size": ("torch.Size([{n}])",),
    "device": ("torch.device('cpu')",),
    "dtype": ("torch.float32",),
    "Dict": ("{{}}",),
    "dict": ("{{}}",),
    "Mapping": ("{{}}",),
    "Box": ("gymnasium.spaces.Box(-1.0, 1.0, ({n},))",),
    "Space": ("gymnasium.spaces.Box(-1.0, 1.0, ({n},))",),
    "Discrete": ("gymnasium.spaces.Discrete({n})",),
    "Optimizer": ("torch.optim.SGD([nn.Parameter(torch.ones({n}))], lr=0.1)",),
    "Generator": ("torch.Generator()",),
    "Path": ("pathlib.Path('state')",),
}
DEEPEST = 2


def guesses(name: str, annotation: Any, namespace: dict[str, Any], width: int, depth: int = 0) -> list[str]:
    """Return expressions for a parameter, the likeliest first; `namespace` gets the classes that they name."""
    by_name = values_for(name, width)
    by_type = _by_annotation(_resolved(annotation, namespace), namespace, width, depth)
    fitting = [each for each in by_name if each in by_type] if by_type else []
    last = [f"torch.rand({width}, {width})", f"Anything({width})", f"Settings({width})", "None"]
    return list(dict.fromkeys([*fitting, *by_type, *by_name, *last]))


def _resolved(annotation: Any, namespace: Mapping[str, Any]) -> Any:
    """Return the object that an annotation in quotes means, or its text where that cannot be told."""
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, dict(namespace))
    except Exception:
        return annotation


def _by_annotation(kind: Any, namespace: dict[str, Any], width: int, depth: int) -> list[str]:
    if kind is inspect.Parameter.empty or kind is Any:
        return []
    if isinstance(kind, str):
        words = [word for word in re.findall(r"\w+", kind) if word in BY_WORD]
        return [value.format(n=width) for word in words for value in BY_WORD[word]]
    origin = typing.get_origin(kind)
    if origin is typing.Literal:
        return [repr(each) for each in typing.get_args(kind)]
    if origin is typing.Annotated or str(origin) in ("typing.Union", "<class 'types.UnionType'>"):
        inner = [
            each for each in typing.get_args(kind) if each is not type(None) and not isinstance(each, str)
        ]
        return [value for each in inner for value in _by_annotation(each, namespace, width, depth)]
    if origin in (list, tuple) and typing.get_args(kind):
        return _sequences(origin, typing.get_args(kind), namespace, width, depth)
    return _by_class(origin or kind, namespace, width, depth)


def _sequences(
    origin: Any, parts: tuple[Any, ...], namespace: dict[str, Any], width: int, depth: int
) -> list[str]:
    """Return lists and tuples of what is annotated."""
    items = [
        (_by_annotation(each, namespace, width, depth) or [str(width)])[0]
        for each in parts
        if each is not ...
    ]
    if origin is list:
        return [f"[{items[0]}, {items[0]}]", f"[{items[0]}]"]
    if ... in parts:
        return [f"({items[0]},)", f"({items[0]}, {items[0]})"]
    return [f"({', '.join(items)},)"]


def _by_class(kind: Any, namespace: dict[str, Any], width: int, depth: int) -> list[str]:
    name = getattr(kind, "__name__", "")
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        namespace[name] = kind
        return [f"{name}.{member}" for member in kind.__members__]
    if name in BY_WORD:
        return [value.format(n=width) for value in BY_WORD[name]]
    if isinstance(kind, type) and issubclass(kind, nn.Module) and kind is not nn.Module and depth < DEEPEST:
        return _made(kind, namespace, width, depth)
    if is_dataclass(kind) and depth < DEEPEST:
        return _made(kind, namespace, width, depth)
    if (
        isinstance(kind, type)
        and kind.__module__ != "builtins"
        and depth < DEEPEST
        and hasattr(kind, "__init__")
    ):
        return _made(kind, namespace, width, depth)
    return []


def _made(kind: Any, namespace: dict[str, Any], width: int, depth: int) -> list[str]:
    """Return a call of a class, or of one that derives from it, with its required arguments guessed."""
    kind = next(filter(lambda each: not inspect.isabstract(each), _derived(kind)), kind)
    # That of a stand-in leads through its package.
    name_of_kind = kind.__name__.replace(".", "_")
    namespace[name_of_kind] = kind
    arguments = [
        f"{name}={guesses(name, each.annotation, namespace, width, depth + 1)[0]}"
        for name, each in required(kind).items()
    ]
    return [f"{name_of_kind}({', '.join(arguments)})"]


def _derived(kind: Any) -> Iterator[Any]:
    """Yield a class and those known so far that derive from it."""
    yield kind
    for each in type.__subclasses__(kind):
        yield from _derived(each)


def parameters_of(function: Any) -> Mapping[str, inspect.Parameter]:
    """Return the parameters of a function or class, of which a metaclass may hide the constructor."""
    is_hidden = isinstance(function, type) and type(function).__call__ is not type.__call__
    try:
        found = inspect.signature(function.__init__ if is_hidden else function).parameters
    except (TypeError, ValueError):
        return {}
    return {name: each for at, (name, each) in enumerate(found.items()) if at or not is_hidden}


def required(function: Any) -> dict[str, inspect.Parameter]:
    """Return the parameters that a call has to give by name."""
    parameters = parameters_of(function)
    return {
        name: each
        for name, each in parameters.items()
        if each.default is each.empty
        and each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY, each.POSITIONAL_ONLY)
    }


def is_anything(name: str, annotation: Any) -> bool:
    """Tell whether neither name nor annotation say what a parameter is, or the name says that it is an object."""
    first = values_for(name, 4)[0]
    return annotation is inspect.Parameter.empty and (first.startswith("nn.Linear") or not is_known(name))


class Settings(dict[str, Any]):
    """A configuration that has a guessed value under every name, as attribute and as item, and keeps it."""

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.__dict__["width"] = width

    def __missing__(self, name: str) -> Any:
        self[name] = value = self._guess(str(name))
        return value

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def get(self, name: str, default: Any = None) -> Any:
        """Return a value that was set, or the default."""
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        return True

    def _guess(self, name: str) -> Any:
        first = values_for(name, self.__dict__["width"])[0]
        # A configuration has sections of these names, not objects.
        is_section = first.startswith(("Settings", "nn.", "gymnasium"))
        return Settings(self.__dict__["width"]) if is_section else eval(first, vocabulary())


class Anything(nn.Module):
    """A module with a weight that has every method and attribute, and gives itself where it is called."""

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width, width))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("weight", "_parameters", "_buffers", "_modules"):
            return super().__getattr__(name)
        return self

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Return itself."""
        return self

    def __getitem__(self, item: Any) -> Any:
        return self

    def __index__(self) -> int:
        return len(self.weight)


def vocabulary() -> dict[str, Any]:
    """Return what the expressions may name."""
    names: dict[str, Any] = {"torch": torch, "nn": nn, "Settings": Settings, "Anything": Anything}
    for module in ("numpy", "gymnasium", "pathlib"):
        try:
            names[module] = __import__(module)
        except ImportError:
            continue
    return names
