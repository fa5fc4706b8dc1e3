"""Construct the classes that fixes changed, run and save them; the worker of `benchmarks.fixes`, which needs torch.

It prints one JSON line for each class: what it holds, gives, keeps after a round trip, and whether it takes a
checkpoint of the class as it was before.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib
import io
import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.construct import TookTooLong
from benchmarks.construct import alarm
from benchmarks.construct import construct as construct_by_guess
from benchmarks.recipes import RECIPES
from flake8_ckpt.runtime import load_compatible

SEED = 7
SECONDS = 5
SHAPES = (
    (2, 4),
    (2, 16),
    (2, 3, 32, 32),
    (2, 1, 32, 32),
    (1, 4, 4),
    (2, 16, 16),
    (4,),
    (2, 8),
    (2, 32),
    (2, 4, 8, 8),
)


def main() -> None:
    """Read targets from standard input, one a line: module, class and attribute."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="where checkpoints of the old classes lie")
    parser.add_argument(
        "--old", action="store_true", help="these are the old classes: write their checkpoints"
    )
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    out, sys.stdout = sys.stdout, io.StringIO()
    for number, line in enumerate(sys.stdin):
        target = json.loads(line)
        entry = describe(target, args.folder / f"{number}.pt", is_old=args.old)
        print(json.dumps(entry), file=out, flush=True)


def describe(target: dict[str, str], file: Path, *, is_old: bool) -> dict[str, Any]:
    """Say what one class does."""
    try:
        cls = find_class(target["module"], target["class"])
    except (Exception, SystemExit) as error:
        return {"made": False, "error": f"import: {type(error).__name__}: {str(error)[:80]}"}
    try:
        found = make(cls)
    except Exception as error:
        return {"made": False, "error": f"recipe: {type(error).__name__}: {str(error)[:80]}"}
    if found is None:
        return {"made": False, "error": "no guess of arguments fits"}
    if not isinstance(found, nn.Module):
        return {"made": False, "error": "no module"}
    entry: dict[str, Any] = {"made": True, "as": type(found).__qualname__, "keys": sorted(found.state_dict())}
    entry["held"] = digest(getattr(found, target["attribute"], None))
    entry["output"] = run(type(found))
    entry["kept"] = is_kept(type(found), target["attribute"])
    entry["moved"] = is_moved(type(found), target["attribute"])
    entry["cast"] = cast(type(found), target["attribute"])
    entry["old"] = write(found, file) if is_old else take(type(found), file)
    return entry


def find_class(module: str, name: str) -> type[nn.Module]:
    """Return a class by its qualified name."""
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found  # type: ignore[no-any-return]


def construct(cls: type[nn.Module]) -> nn.Module | None:
    """Make an object as its recipe says, or with guessed arguments."""
    recipe = RECIPES.get(f"{cls.__module__}.{cls.__qualname__}")
    if recipe is None:
        return construct_by_guess(cls)
    torch.manual_seed(SEED)
    made: nn.Module = eval(recipe, {"cls": cls, "torch": torch, "get": get})
    return made


def get(path: str) -> object:
    """Import what a dotted path names."""
    module, _, name = path.rpartition(".")
    found: object = getattr(importlib.import_module(module), name)
    return found


def make(cls: type[nn.Module]) -> nn.Module | None:
    """Construct a class, or else the first class derived from it that can be."""
    torch.manual_seed(SEED)
    found = construct(cls)
    if found is not None:
        return found
    return next((found for each in cls.__subclasses__() if (found := make(each)) is not None), None)


def run(cls: type[nn.Module]) -> str:
    """Return a digest of what the first input gives that the class takes."""
    for shape in SHAPES:
        for integer in (False, True):
            with contextlib.suppress(Exception, TookTooLong), alarm(SECONDS):
                torch.manual_seed(SEED)
                found = construct(cls)
                torch.manual_seed(SEED)
                given = torch.randint(0, 4, shape) if integer else torch.rand(shape)
                if found is not None:
                    return f"{shape}: {digest(found.eval()(given))}"
    return ""


def is_kept(cls: type[nn.Module], attribute: str) -> bool | None:
    """Tell whether a changed value comes back from a checkpoint, None where it cannot be changed or compared."""
    trained, fresh = construct(cls), construct(cls)
    try:
        parts = list(tensors_of(getattr(trained, attribute)))
        with torch.no_grad():
            for part in parts:
                part.data.copy_(~part if part.dtype == torch.bool else part + 1)
        expected = digest(getattr(trained, attribute))
        fresh.load_state_dict(trained.state_dict())  # type: ignore[union-attr]
        return digest(getattr(fresh, attribute)) == expected if parts else None
    except Exception:
        return None


def is_moved(cls: type[nn.Module], attribute: str) -> bool | None:
    """Tell whether the attribute follows the module to another device."""
    with contextlib.suppress(Exception):
        found = construct(cls)
        parts = list(tensors_of(getattr(found.to("meta"), attribute)))  # type: ignore[union-attr]
        return all(part.is_meta for part in parts) if parts else None
    return None


def cast(cls: type[nn.Module], attribute: str) -> str:
    """Return what the attribute holds after the module was cast to half precision."""
    with contextlib.suppress(Exception):
        torch.manual_seed(SEED)
        found = construct(cls)
        return digest(getattr(found.to(torch.bfloat16), attribute))  # type: ignore[union-attr]
    return ""


def write(found: nn.Module, file: Path) -> str:
    """Write a checkpoint of a class as it was."""
    with contextlib.suppress(Exception):
        torch.save(found.state_dict(), file)
        return "written"
    return ""


def take(cls: type[nn.Module], file: Path) -> str:
    """Return how a checkpoint of the class as it was is taken: "strict", "compatible" or why it is not."""
    if not file.exists():
        return ""
    state = torch.load(file, weights_only=False)
    fresh = construct(cls)
    if fresh is None:
        return "cannot be made"
    with contextlib.suppress(Exception):
        fresh.load_state_dict(state)
        return "strict"
    try:
        load_compatible(fresh, state)
        return "compatible"
    except Exception:
        return load_named(cls, state)


def load_named(cls: type[nn.Module], state: dict[str, Any]) -> str:
    """Load with the new keys named: parameters are only taken as added where somebody says so."""
    fresh = construct(cls)
    try:
        missing = sorted(set(fresh.state_dict()) - set(state))  # type: ignore[union-attr]
        load_compatible(fresh, state, added=missing)  # type: ignore[arg-type]
        return "compatible"
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:200]}"


def tensors_of(value: Any) -> Iterator[torch.Tensor]:
    """Yield the tensors of a value: of modules their parameters and buffers."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, nn.Module):
        yield from value.state_dict(keep_vars=True).values()
    elif isinstance(value, dict):
        for each in value.values():
            yield from tensors_of(each)
    elif isinstance(value, (list, tuple, nn.ParameterList)):
        for each in value:
            yield from tensors_of(each)


def digest(value: Any) -> str:
    """Return a digest of the tensors of a value, or the value in a few words."""
    tensors = list(tensors_of(value))
    if not tensors:
        return type(value).__name__
    total = hashlib.sha256()
    for tensor in tensors:
        total.update(f"{tuple(tensor.shape)} {tensor.dtype}".encode())
        total.update(tensor.detach().cpu().contiguous().to(torch.complex128).numpy().tobytes())
    return total.hexdigest()[:16]


if __name__ == "__main__":
    main()
