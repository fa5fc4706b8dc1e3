"""Guess the arguments of a method: tensors whose shapes follow from what the object holds and from its complaints."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import torch
from torch import nn

from flake8_ckpt.runtime.prove.guesses import guesses
from flake8_ckpt.runtime.prove.guesses import required
from flake8_ckpt.runtime.prove.guesses import vocabulary

# Some more than one, so that variances are not zero.
BATCH = 6
MOST_WIDTHS = 6
MOST_ROWS = 3
MOST_SHAPES = 40
PLAIN = (
    (
        r"(mask|done|dones|terminals?|terminat(ions?|ed)|truncat(ions?|ed)|is_.*)",
        ("torch.rand({b}) > 0.5", "torch.rand({b}, 1) > 0.5"),
    ),
    (r"(train(ing)?|update.*|normalize|return_.*|use_.*|deterministic|inplace|reset)", ("True", "False")),
    (
        r"(step|steps|epoch|iteration|global_step|num_.*|n|n_.*|size|num|k|idx|index|i|timestep|current_.*|batch_idx)",
        ("3", "torch.tensor(3)"),
    ),
    (
        r"(lr|momentum|decay|alpha|tau|eps|temperature|factor|progress|ratio|rate|beta|scale|fraction|weight|coef"
        r"|lambda)",
        ("0.5",),
    ),
    (
        r"(loss|reward|metric|value|score|kl)",
        ("torch.rand({b})", "0.5", "torch.rand(())", "torch.rand({b}, 1)"),
    ),
    (
        r"(.*tokens?|.*ids?|labels?|targets?|actions?|indices|idxs)",
        ("torch.randint(0, 2, ({b},))", "torch.randint(0, 2, ({b}, {w}))", "torch.rand({b}, {w})"),
    ),
    (r"(model|net|network|source|other|module)", ("SAME",)),
)
PATTERNS = tuple((re.compile(pattern), values) for pattern, values in PLAIN)
# What torch says of shapes that do not fit, and the number that would.
COMPLAINTS = (
    re.compile(r"cannot be multiplied \(\d+x\d+ and (\d+)x\d+\)"),
    re.compile(r"to have (\d+) channels"),
    re.compile(r"normalized_shape=\[(\d+)\]"),
    re.compile(r"running_mean should contain \d+ elements not (\d+)"),
    re.compile(r"size of tensor a \(\d+\) must match the size of tensor b \((\d+)\)"),
    re.compile(r"size of tensor a \((\d+)\)"),
    re.compile(r"weight of size \[\d+, (\d+)"),
    re.compile(r"Expected size for first two dimensions.*\[\d+, (\d+)\]"),
    re.compile(r"input\.size\(-1\) must be equal to input_size\. Expected (\d+)"),
    re.compile(r"shape '\[.*?(\d+)\]' is invalid"),
    re.compile(r"expected .*?(\d+)"),
)


def call_texts(owner: Any, method: str, hints: list[int]) -> Iterator[dict[str, str]]:
    """Yield the arguments of a method as expressions; `hints` may grow between two of them."""
    function = getattr(owner, method)
    parameters = {name: each for name, each in required(function).items()}
    names = [name for name in parameters if not _is_annotated_plain(parameters[name])]
    if not parameters:
        yield from _variadic(owner, function, hints)
        return
    plain = {name: _plain(name, parameters[name]) for name in parameters if name not in names}
    tensors = [name for name in names if not _pattern(name)]
    for number, shape in enumerate(_shapes(owner, hints)):
        for rows in (BATCH,) if number else _rows(owner):
            options = [_options(name, shape, plain, rows) for name in parameters]
            for values in _diagonal(options):
                yield dict(zip(parameters, values))
        if len(tensors) > 1:
            yield from _mixed(parameters, tensors, shape, owner, hints, plain)


def _variadic(owner: Any, function: Any, hints: list[int]) -> Iterator[dict[str, str]]:
    """Yield no arguments, then one where the method takes any."""
    yield {}
    try:
        kinds = {each.kind for each in inspect.signature(function).parameters.values()}
    except (TypeError, ValueError):
        return
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        yield from ({"0": shape} for shape in _shapes(owner, hints))


def _is_annotated_plain(parameter: inspect.Parameter) -> bool:
    text = str(parameter.annotation)
    return parameter.annotation is not parameter.empty and not re.search(
        r"Tensor|ndarray|Any|Float|Array", text
    )


def _plain(name: str, parameter: inspect.Parameter) -> tuple[str, ...]:
    return tuple(guesses(name, parameter.annotation, vocabulary(), 4)[:3])


def _pattern(name: str) -> tuple[str, ...]:
    return next((values for pattern, values in PATTERNS if pattern.fullmatch(name.lower().strip("_"))), ())


def _rows(owner: Any) -> list[int]:
    """Return how many there may be of what has a name: ours, and those that the object holds one value for each of."""
    return [BATCH, *dict.fromkeys(shape[0] for shape in _own_shapes(owner) if len(shape) == 1)][:MOST_ROWS]


def _options(name: str, shape: str, plain: dict[str, tuple[str, ...]], rows: int = BATCH) -> list[str]:
    """Return the values of one parameter beside a tensor of this shape."""
    if name in plain:
        return list(plain[name])
    width = (re.findall(r"\d+", shape) or ["4"])[-1]
    named = [value.format(b=rows, w=width) for value in _pattern(name)]
    return [*named, shape] if named else [shape]


def _diagonal(options: list[list[str]]) -> Iterator[tuple[str, ...]]:
    """Yield the first values together, then each of the others with the first of the rest."""
    first = tuple(each[0] for each in options)
    yield first
    for at, values in enumerate(options):
        yield from ((*first[:at], value, *first[at + 1 :]) for value in values[1:])


def _mixed(
    parameters: dict[str, Any],
    tensors: list[str],
    shape: str,
    owner: Any,
    hints: list[int],
    plain: dict[str, tuple[str, ...]],
) -> Iterator[dict[str, str]]:
    """Yield two tensors of different shapes, such as a mean and a count."""
    few = [
        f"torch.rand({BATCH})",
        f"torch.rand({BATCH}, 1)",
        "torch.tensor(6.0)",
        "6",
        *list(_shapes(owner, hints))[:3],
    ]
    for others in product(few, repeat=min(len(tensors) - 1, 2)):
        chosen = dict(zip(tensors, (shape, *others)))
        yield {name: chosen.get(name, _options(name, shape, plain)[0]) for name in parameters}


def _shapes(owner: Any, hints: list[int]) -> Iterator[str]:
    """Yield expressions of tensors, those of the widths that the object and its complaints name first."""
    seen: set[str] = set()
    counted = 0
    while counted < MOST_SHAPES:
        fresh = [each for each in _all_shapes(owner, hints) if each not in seen]
        if not fresh:
            return
        seen.add(fresh[0])
        counted += 1
        yield fresh[0]


def _all_shapes(owner: Any, hints: list[int]) -> Iterator[str]:
    widths = list(dict.fromkeys([*reversed(hints), *_widths(owner)]))[:MOST_WIDTHS]
    for width in widths:
        yield f"torch.rand({BATCH}, {width})"
    for shape in _own_shapes(owner):
        yield f"torch.rand({', '.join(map(str, (BATCH, *shape)))})"
    for width in widths[:2]:
        yield f"torch.rand({BATCH}, {width}, 32, 32)"
        yield f"torch.rand(2, 5, {width})"
        yield f"torch.rand({width})"
    yield f"torch.rand({BATCH})"
    yield f"torch.rand({BATCH}, 1)"
    yield "torch.rand(())"
    for width in widths[:2]:
        yield f"torch.rand({BATCH}, {width}, 16)"
        yield f"torch.randint(0, 2, ({BATCH}, {width}))"
        yield f"numpy.random.rand({BATCH}, {width}).astype('float32')"
        yield f"{{'obs': torch.rand({BATCH}, {width})}}"
        yield f"[torch.rand({BATCH}, {width})]"
    yield f"torch.randint(0, 2, ({BATCH},))"
    yield f"numpy.random.rand({BATCH})"
    yield "0.5"
    yield "3"
    yield f"torch.rand({BATCH}, 3, 32, 32)"
    yield f"torch.rand({BATCH}, 1, 28, 28)"


def _own_shapes(owner: Any) -> Iterator[tuple[int, ...]]:
    """Yield the shapes of the tensors and arrays that the object itself holds."""
    held = {**getattr(owner, "_buffers", {}), **vars(owner)}
    for value in held.values():
        shape = getattr(value, "shape", None)
        if isinstance(shape, (tuple, torch.Size)) and 0 < len(shape) < 4 and max(shape) < 4096:
            yield tuple(shape)


def _widths(owner: Any) -> Iterator[int]:
    """Yield how wide inputs may be: those of the first layers, of what is held, and of plain numbers."""
    for module in owner.modules() if isinstance(owner, nn.Module) else ():
        for name in ("in_features", "in_channels", "num_features", "input_size", "embed_dim"):
            width = getattr(module, name, None)
            if isinstance(width, int) and width > 0:
                yield width
    yield from (shape[-1] for shape in _own_shapes(owner))
    for value in vars(owner).values():
        if isinstance(value, int) and not isinstance(value, bool) and 1 < value < 4096:
            yield value
        if isinstance(value, tuple) and value and all(isinstance(each, int) for each in value):
            yield value[-1]
    yield 4


def wanted_width(error: BaseException) -> int | None:
    """Return the width that a complaint about shapes asks for."""
    for complaint in COMPLAINTS:
        match = complaint.search(str(error))
        if match and 0 < int(match[1]) < 65536:
            return int(match[1])
    return None
