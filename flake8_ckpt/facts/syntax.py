"""Small questions to expressions: which attribute of `self` one is, what a call is given, what a name spells."""

from __future__ import annotations

import ast
import re
from functools import lru_cache

from flake8_ckpt.facts import values as v
from flake8_ckpt.source.tree import dotted

# A program calls the same functions again and again.
REMEMBERED = 1024
SURROGATES = re.compile("[\ud800-\udfff]")

# Calls that only show what they are given: `writer.add_scalar(tag, value, self.step)`, `self.log(...)`, `print(...)`.
SHOWS = re.compile(
    r"(^|\.)(add_(scalars?|histogram|image|text)|logkvs?\w*|record_tabular|set_postfix\w*|set_description\w*"
    r"|log_(scalar|metric|value|stat|dict|kv)s?)$|^print$|(log\w*|warnings)\.(info|debug|warn|warning|error)$"
    r"|(^self|log\w*|wandb|writer|tracker|run)\.log$"
)


SHOWING = re.compile(
    r"add_|log|record_tabular|set_(postfix|description)|(print|info|debug|warn(ing)?|error)$"
)


def self_attribute(node: ast.AST) -> str | None:
    """Return x where a node is `self.x`."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        return node.attr
    return None


def without_star(node: ast.expr) -> ast.expr:
    """Return what stands behind a star, or the node itself."""
    return node.value if isinstance(node, ast.Starred) else node


def given_to(node: ast.Call) -> list[ast.expr]:
    """Return what a call is given: positional arguments, then keywords, stars left out."""
    return [*map(without_star, node.args), *(each.value for each in node.keywords)]


def parameter_names(arguments: ast.arguments) -> list[str]:
    """Return the names of all parameters."""
    every = [
        *arguments.posonlyargs,
        *arguments.args,
        *arguments.kwonlyargs,
        arguments.vararg,
        arguments.kwarg,
    ]
    return [each.arg for each in every if each is not None]


def is_text(value: str) -> bool:
    """Tell whether a string can be written to a cache; half a surrogate pair (`"\\ud800"`) cannot."""
    return value.isascii() or SURROGATES.search(value) is None


def patterns_of(value: v.Value) -> tuple[str, ...]:
    """Return the names that a value may spell, one by one where a loop goes over literal names."""
    if isinstance(value, v.Join):
        return tuple(dict.fromkeys(map(pattern_of, value.options)))
    if isinstance(value, v.Arith):
        choices = [index for index, each in enumerate(value.operands) if isinstance(each, v.Join)]
        if len(choices) == 1:
            before, after = value.operands[: choices[0]], value.operands[choices[0] + 1 :]
            options = v.options_of(value.operands[choices[0]])
            return tuple(pattern_of(v.Arith((*before, option, *after))) for option in options)
    return (pattern_of(value),)


def pattern_of(value: v.Value) -> str:
    """Return a name that a value spells, with `*` for what is computed.

    "$p" where it is the parameter p, "*" where nothing is known.
    """
    if isinstance(value, v.Const) and isinstance(value.value, str):
        return value.value
    if isinstance(value, v.Param):
        return f"${value.name}"
    if isinstance(value, v.Arith):
        return "".join(_shown(part) for part in value.operands)
    return "*"


def _shown(part: v.Value) -> str:
    """Return a part of a name; a reference to what linking knows better is a computed part here."""
    text = part.value if isinstance(part, v.Const) and isinstance(part.value, str) else "*"
    return "*" if "${" in text else text


def only_shows(function: ast.expr) -> bool:
    """Tell whether a function, by its dotted name, only shows what it is given."""
    last = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return _may_show(last) and SHOWS.search(dotted(function)) is not None


@lru_cache(maxsize=REMEMBERED)
def _may_show(name: str) -> bool:
    return SHOWING.match(name) is not None
