"""Construct the module classes of an installed package with guessed arguments and say what they hold.

The worker of `benchmarks.oracle make`; it needs torch.
It prints `at NUMBER` before each class, one JSON line for each that could be made, and `done`.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import importlib.metadata
import inspect
import io
import json
import os
import pkgutil
import signal
import sys
import warnings
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from types import FrameType
from typing import Any
from typing import Optional
from typing import TypeGuard

import torch
from torch import nn

from benchmarks.scope import walk_scopes

GUESSES = 8
SECONDS = 5
CONTAINERS = (list, tuple, set, dict)
# What a name asks for, the longest that fits first; else the annotation decides, else a small integer.
BY_NAME: dict[str, Any] = {
    "spatial_dims": 2,
    "image_size": 32,
    "img_size": 32,
    "patch_size": 8,
    "num_classes": 10,
    "heads": 2,
    "depth": 2,
    "dropout": 0.1,
    "eps": 1e-3,
    "sigma": (1.5, 1.5),
    "kernel_size": 3,
    "frames": 4,
    "seq_len": 16,
    "dim": 16,
}
INTEGERS = (4, 8, 2, 1, 16, 3, 32, 64)
UNKNOWN: tuple[Any, ...] = (4, 0.5, (4, 4), torch.ones(4), nn.Linear(4, 4), 16, None, "mean")


class TookTooLong(BaseException):
    """A constructor that does not end; not an Exception, so that nobody swallows it."""


@dataclass
class Trace:
    """The lines that set attributes of modules, by object and name."""

    places: dict[tuple[int, str], list[tuple[str, int]]] = field(default_factory=dict)

    def install(self) -> None:
        """Watch every assignment to an attribute of a module."""
        original = nn.Module.__setattr__

        def watch(module: nn.Module, name: str, value: Any) -> None:
            original(module, name, value)
            frame = sys._getframe(1)
            self.places.setdefault((id(module), name), []).append((frame.f_code.co_filename, frame.f_lineno))

        nn.Module.__setattr__ = watch  # type: ignore[method-assign, assignment]


def find_classes(package: str) -> list[type[nn.Module]]:
    """Import all modules of a package and return its module classes, in a fixed order."""
    found = {cls for module in import_all(package) for cls in vars(module).values() if is_own(cls, package)}
    return sorted(found, key=lambda cls: (cls.__module__, cls.__qualname__))


def import_all(package: str) -> Iterator[Any]:
    """Import what can be imported of a package."""
    root = importlib.import_module(package)
    yield root
    for found in pkgutil.walk_packages(root.__path__, f"{package}.", onerror=lambda name: None):
        with contextlib.suppress(Exception, SystemExit):
            yield importlib.import_module(found.name)


def is_own(value: object, package: str) -> bool:
    """Tell whether a value is a module class that the package defines."""
    return (
        isinstance(value, type)
        and issubclass(value, nn.Module)
        and value.__module__.split(".")[0] == package
        and "<locals>" not in value.__qualname__
    )


def construct(cls: type[nn.Module]) -> Optional[nn.Module]:
    """Make an object with the first guess of arguments that the class accepts."""
    for guess in range(GUESSES):
        try:
            with alarm(SECONDS):
                return cls(**guess_arguments(cls, guess))
        except TookTooLong:
            return None
        except Exception:  # whatever a foreign constructor raises: the next guess
            continue
    return None


@contextlib.contextmanager
def alarm(seconds: int) -> Iterator[None]:
    """Interrupt what takes too long."""

    def stop(number: int, frame: Optional[FrameType]) -> None:
        raise TookTooLong

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def guess_arguments(cls: type[nn.Module], guess: int) -> dict[str, Any]:
    """Guess a value for every argument without a default."""
    parameters = list(inspect.signature(cls).parameters.values())
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    required = [p for p in parameters if p.default is inspect.Parameter.empty and p.kind not in kinds]
    return {parameter.name: guess_value(parameter, guess) for parameter in required}


def guess_value(parameter: inspect.Parameter, guess: int) -> Any:
    """Guess one argument from its name and annotation."""
    annotation = str(parameter.annotation)
    if "Module" in annotation:
        return nn.Linear(4, 4)
    if "Tensor" in annotation:
        return torch.ones(4) if guess % 2 == 0 else torch.eye(4)
    return guess_plain(parameter.name, annotation, guess)


def guess_plain(name: str, annotation: str, guess: int) -> Any:
    """Guess an argument that is neither a tensor nor a module."""
    named = [value for part, value in BY_NAME.items() if part in name.lower()]
    integer = INTEGERS[guess % len(INTEGERS)]
    if any(word in annotation.lower() for word in ("tuple", "list", "sequence")):
        return (integer, integer)
    if named and guess % 2 == 0:
        return named[0]
    by_type = {"bool": True, "float": 0.5, "str": "mean", "int": integer}
    fitting = [value for kind, value in by_type.items() if kind in annotation]
    return fitting[0] if fitting else UNKNOWN[guess % len(UNKNOWN)]


def describe(module: nn.Module, trace: Trace, package: str) -> dict[str, Any]:
    """Say what a fresh object holds, as one line of the record."""
    cls = type(module)
    path = inspect.getsourcefile(cls) or ""
    scopes = dict(walk_scopes(parse(path)))
    entry: dict[str, Any] = {"package": distribution(package), "version": version(package)}
    entry["class"] = f"{cls.__module__}.{cls.__qualname__}"
    entry.update(file=short_path(path), line=scopes[cls.__qualname__].lineno)
    entry.update((key, value) for key, value in describe_lost(module, trace).items() if value)
    entry["registered"] = sorted({*module._parameters, *module._buffers})
    scalars = [name for name, value in vars(module).items() if isinstance(value, (bool, int, float))]
    entry["scalars"] = sorted(set(scalars) - {"training"})
    return entry


def describe_lost(module: nn.Module, trace: Trace) -> dict[str, list[Any]]:
    """Sort the attributes that hold tensors or modules into plain, containers and other."""
    blank = vars(nn.Module())
    values = {name: value for name, value in sorted(vars(module).items()) if name not in blank}
    tensors = {name: value for name, value in values.items() if isinstance(value, torch.Tensor)}
    containers = {name: container_entry(module, value) for name, value in values.items()}
    kept = saved_names(module, tensors) | moved_names(module, tensors)
    found: dict[str, list[Any]] = {"plain": [], "containers": [], "other": []}
    for name, value in values.items():
        entry = {"attr": name, **containers[name], "at": places(module, name, trace)}
        if name in tensors and name not in kept:
            found["plain"].append(entry)
        elif containers[name]:
            found["containers"].append(entry)
        elif name in kept or is_other_state(value):
            found["other"].append(name)
    return found


def container_entry(module: nn.Module, value: Any) -> dict[str, Any]:
    """Say what a container holds; nothing of a value that is none, or holds neither tensors nor modules."""
    kind = container_kind(value) if isinstance(value, CONTAINERS) else ""
    return {"kind": kind, "alias": is_alias(module, value)} if kind else {}


def saved_names(module: nn.Module, tensors: Mapping[str, torch.Tensor]) -> set[str]:
    """Return the plain tensors that the object's own state holds, by name or by storage."""
    state: dict[str, Any] = {}
    with contextlib.suppress(Exception):
        state = dict(module.state_dict())
    own = [*state.values(), *module.parameters(), *module.buffers()]
    addresses = {address(value) for value in own if isinstance(value, torch.Tensor)} - {0}
    return {name for name, value in tensors.items() if name in state or address(value) in addresses}


def moved_names(module: nn.Module, tensors: Mapping[str, torch.Tensor]) -> set[str]:
    """Return the plain tensors that follow the module to another device; the object is spoilt by it."""
    with contextlib.suppress(Exception):
        module.to("meta")
    now = {name: getattr(module, name, None) for name in tensors}
    return {name for name, value in now.items() if isinstance(value, torch.Tensor) and value.is_meta}


def address(tensor: torch.Tensor) -> int:
    """Return where a tensor's data begins, 0 where it has none."""
    try:
        return tensor.untyped_storage().data_ptr()
    except RuntimeError:
        return 0


def container_kind(value: Any) -> str:
    """Name what a container holds; nothing if it holds neither tensors nor modules."""
    leaves = list(walk_leaves(value))
    if any(isinstance(leaf, nn.Module) for leaf in leaves):
        return "container_of_modules"
    return "container_of_tensors" if any(isinstance(leaf, torch.Tensor) for leaf in leaves) else ""


def walk_leaves(value: Any, depth: int = 3) -> Iterator[Any]:
    """Yield what a container holds, through containers inside it."""
    if not isinstance(value, CONTAINERS) or depth == 0:
        yield value
        return
    for item in value.values() if isinstance(value, dict) else value:
        yield from walk_leaves(item, depth - 1)


def is_alias(module: nn.Module, value: Any) -> bool:
    """Tell whether all that a container holds is registered as well."""
    registered = {id(part) for part in [*module.modules(), *module.parameters(), *module.buffers()]}
    parts = [leaf for leaf in walk_leaves(value) if isinstance(leaf, (nn.Module, torch.Tensor))]
    return all(id(part) in registered for part in parts)


def is_other_state(value: Any) -> bool:
    """Tell whether a value is state of another kind: an array, a hidden module, an object with tensors."""
    if isinstance(value, nn.Module) or type(value).__name__ == "ndarray":
        return True
    inner = getattr(value, "__dict__", None)
    return isinstance(inner, dict) and any(isinstance(part, torch.Tensor) for part in inner.values())


def places(module: nn.Module, name: str, trace: Trace) -> list[tuple[str, int]]:
    """Return the lines that set an attribute: in the sources of its classes, else as they were run."""
    sources = {inspect.getsourcefile(cls) for cls in type(module).__mro__ if cls not in (nn.Module, object)}
    classes = {cls.__qualname__ for cls in type(module).__mro__}
    written = [place for path in sources if path for place in written_places(path, classes, name)]
    run = trace.places.get((id(module), name), [])
    return sorted({(short_path(path), line) for path, line in written or run})


def written_places(path: str, classes: set[str], name: str) -> Iterator[tuple[str, int]]:
    """Yield the lines of some classes of a file that assign to `self.name`, or to a part of it."""
    for qualified_name, scope in walk_scopes(parse(path)):
        if qualified_name in classes:
            mangled = f"_{scope.name.lstrip('_')}"
            names = {name, name.removeprefix(mangled) if name.startswith(f"{mangled}__") else name}
            yield from ((path, node.lineno) for node in ast.walk(scope) if assigns(node, names))


def assigns(node: ast.AST, names: Iterable[str]) -> TypeGuard[ast.stmt]:
    """Tell whether a node is an assignment to an attribute of `self`, or to a part of it."""
    if isinstance(node, ast.Assign):
        return any(is_target(part, names) for target in node.targets for part in flatten(target))
    return isinstance(node, (ast.AugAssign, ast.AnnAssign)) and is_target(node.target, names)


def flatten(target: ast.expr) -> list[ast.expr]:
    """Return the parts of a tuple target."""
    return [part for item in target.elts for part in flatten(item)] if hasattr(target, "elts") else [target]


def is_target(target: ast.expr, names: Iterable[str]) -> bool:
    """Tell whether a target is `self.name` or `self.name[...]`."""
    while isinstance(target, ast.Subscript):
        target = target.value
    return isinstance(target, ast.Attribute) and target.attr in names and ast.unparse(target.value) == "self"


def parse(path: str) -> ast.Module:
    """Parse a source file."""
    with open(path, "rb") as stream:
        return ast.parse(stream.read())


def short_path(path: str) -> str:
    """Return a path as the wheel has it: relative to the import path that holds it."""
    roots = [root for root in map(os.path.abspath, sys.path) if path.startswith(root + os.sep)]
    return os.path.relpath(path, max(roots, key=len, default=os.curdir)).replace(os.sep, "/")


def distribution(package: str) -> str:
    """Return the name of the distribution that installed a package."""
    return next(iter(importlib.metadata.packages_distributions().get(package, [package])))


def version(package: str) -> str:
    """Return the installed version, nothing where it is not known."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(distribution(package))
    return ""


def run(package: str, start: int) -> Iterator[str]:
    """Yield the lines of the report, from the class with the number `start` on."""
    trace = Trace()
    with contextlib.redirect_stdout(io.StringIO()):
        classes = find_classes(package)
    trace.install()
    for number, cls in enumerate(classes[start:], start):
        yield f"at {number}"
        entry = report_on(cls, trace, package)
        if entry:
            yield json.dumps(entry)
    yield "done"


def report_on(cls: type[nn.Module], trace: Trace, package: str) -> Optional[dict[str, Any]]:
    """Construct one class and describe the object, if that can be done at all."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception, SystemExit):
        torch.manual_seed(0)
        trace.places.clear()
        made = construct(cls)
        return describe(made, trace, package) if type(made) is cls else None
    return None


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Report on one package."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.construct", description=__doc__)
    parser.add_argument("package")
    parser.add_argument("--start", type=int, default=0)
    options = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    for line in run(options.package, options.start):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
