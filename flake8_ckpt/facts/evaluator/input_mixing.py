"""Whether an attribute of `self` meets what a method is given while it still lies where it was made.

What is being computed carries tokens: INPUT for what comes from a parameter, `~k` for the attribute k as it
lies. A move takes `~k` away, a look at shapes or numbers takes both:

    y = x * self.k                  # INPUT and ~k: k is used with an input
    y = x * self.k[None].to(x)      # INPUT alone: k was moved
    y = range(int(self.k))          # neither: a number lies nowhere
    y = self.k[x.cpu()]             # ~k alone: what was brought to the host meets nothing on a device
"""

from __future__ import annotations

import ast

from flake8_ckpt.frameworks.torch import MOVES
from flake8_ckpt.frameworks.torch import NOT_TENSOR
from flake8_ckpt.frameworks.torch import SHAPE_METHODS

INPUT = "@"
AS_IT_LIES = "~"
NOTHING: frozenset[str] = frozenset()
UNMOVED = frozenset([AS_IT_LIES])
FROM_INPUT = frozenset([INPUT])
NOWHERE = frozenset([INPUT, AS_IT_LIES])
# What a value was made of; a size says nothing of what the value holds.
SOURCE = "="
SIZELESS = frozenset([INPUT, AS_IT_LIES, SOURCE])
# Calls that take the numbers out of a tensor, not its size.
TAKES_NUMBERS = frozenset("int float bool str print round numpy item tolist equal allclose".split())
# Calls whose result lies on the host, or nowhere: `float(self.k)`, `self.k.tolist()`.
TO_HOST = frozenset("int float bool len str range print round numpy".split()) | NOT_TENSOR | SHAPE_METHODS
# These take what they are given to where their own object lies.
TAKES_OVER = frozenset("copy_ new_tensor".split())
NUMBERS = frozenset(["int", "float", "bool", "str"])
# Calls whose arguments are sizes, which lie nowhere.
BY_SIZES = frozenset("zeros ones empty rand randn randperm eye".split())
# Calls that make a tensor of what they are given on the host, unless they are told a device.
MADE_ON_HOST = frozenset("tensor from_numpy".split())


def attributes_in(tokens: set[str]) -> set[str]:
    """Return the attributes that are used as they lie."""
    return {token[1:] for token in tokens if token.startswith(AS_IT_LIES)}


def left_by(call: ast.Call) -> frozenset[str]:
    """Return the kinds of tokens that a call takes away from what goes into it."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in TO_HOST:
        return NOWHERE if name in TAKES_NUMBERS else SIZELESS
    if name == "cpu" and isinstance(call.func, ast.Attribute):
        return FROM_INPUT
    if name in BY_SIZES:
        return NOWHERE
    is_placed = call.keywords and any(each.arg == "device" for each in call.keywords)
    if name in MADE_ON_HOST and not is_placed:
        return FROM_INPUT
    return UNMOVED if is_placed and name not in MOVES else NOTHING


def is_number(parameter: ast.arg, default: ast.expr | None) -> bool:
    """Tell whether a parameter is a number or a text by its annotation or default."""
    if isinstance(parameter.annotation, ast.Name) and parameter.annotation.id in NUMBERS:
        return True
    return isinstance(default, ast.Constant) and isinstance(default.value, (int, float, str))


def numbers_of(arguments: ast.arguments) -> frozenset[str]:
    """Return the names of the parameters that are numbers or texts."""
    if not arguments.defaults and not arguments.kwonlyargs:
        every = (*arguments.posonlyargs, *arguments.args)
        return frozenset(
            [each.arg for each in every if each.annotation is not None and is_number(each, None)]
        )
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [*[None] * (len(positional) - len(arguments.defaults)), *arguments.defaults]
    pairs = [*zip(positional, defaults), *zip(arguments.kwonlyargs, arguments.kw_defaults)]
    return frozenset(arg.arg for arg, default in pairs if is_number(arg, default))
