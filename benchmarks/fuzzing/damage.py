"""Damage to real files: bytes, lines and trees that are changed, moved and mixed, by chance."""

from __future__ import annotations

import ast
import copy
import random
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

# Words that our reading of a file hangs on, and bytes that readers of text trip over.
WORDS = (
    b"torch.save( torch.load( self. state_dict() load_state_dict( super().__init__() register_buffer( "
    b"nn.Parameter( lambda: ** \0 \xff \xef\xbb\xbf \xe2\x80\xa8 \x1a # ''' \"\"\" f'{ }' ( ) [ ] { } : ; ="
).split(b" ") + [
    *(b" ", b"\t", b"\x0c", b"\r", b"\r\n", b"\\\n", b"def __init__(self):\n", b"class A(nn.Module):\n"),
    *(
        b"# coding: utf-16\n",
        b"# coding: latin-1\n",
        b"import torch as torch\n",
        b"from x import *\n",
        b"# noqa\n",
    ),
]
MOST = 6
Kinds = Mapping[type[ast.AST], Sequence[ast.AST]]


def damaged(data: bytes, dice: random.Random, other: bytes = b"") -> bytes:
    """Change some bytes; what another file holds is of no use here."""
    for _ in range(dice.randint(1, MOST)):
        data = dice.choice(BYTES)(data, dice)
    return data


def rearranged(data: bytes, dice: random.Random, other: bytes = b"") -> bytes:
    """Change some lines, which may come from another file."""
    lines = data.splitlines(keepends=True) or [b""]
    more = other.splitlines(keepends=True) or lines
    for _ in range(dice.randint(1, MOST)):
        dice.choice(LINES)(lines, more, dice)
        lines = lines or [b""]
    return b"".join(lines)


def regrown(text: str, dice: random.Random, other: str) -> str:
    """Change some nodes of the tree into others of the same kind, which may come from another file.

    Raises what `ast.parse` and `ast.unparse` do.
    """
    tree = ast.parse(text)
    donors = [node for each in (tree, ast.parse(other)) for node in ast.walk(each)]
    kinds: Kinds = {
        kind: [node for node in donors if isinstance(node, kind)] for kind in (ast.expr, ast.stmt)
    }
    for _ in range(dice.randint(1, MOST)):
        _replace(dice.choice(list(ast.walk(tree))), kinds, dice)
    return ast.unparse(tree)


def _replace(node: ast.AST, kinds: Kinds, dice: random.Random) -> None:
    """Give a node other children, or the same in another order; copies, so that no tree ends up in itself."""
    for name, value in ast.iter_fields(node):
        if isinstance(value, list) and value:
            index = dice.randrange(len(value))
            fitting = next((found for kind, found in kinds.items() if isinstance(value[index], kind)), None)
            if fitting and dice.random() < 0.6:
                value[index] = copy.deepcopy(dice.choice(fitting))
            elif fitting and dice.random() < 0.5:
                value.insert(index, copy.deepcopy(dice.choice(fitting)))
            elif len(value) > 1:
                value.append(value.pop(index))
        elif isinstance(value, ast.expr) and dice.random() < 0.5:
            setattr(node, name, copy.deepcopy(dice.choice(kinds[ast.expr])))


def _flip(data: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(data) + 1)
    byte = (data[place : place + 1] or b"x")[0] ^ 1 << dice.randrange(8)
    return data[:place] + bytes([byte]) + data[place + 1 :]


def _cut(data: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(data) + 1)
    return data[:place] + data[place + dice.choice((1, 2, 8, 64, 1000)) :]


def _insert(data: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(data) + 1)
    return data[:place] + dice.choice(WORDS) + data[place:]


def _repeat(data: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(data) + 1)
    return (
        data[:place]
        + data[place : place + dice.choice((1, 10, 100))] * dice.choice((2, 3, 30))
        + data[place:]
    )


def _end(data: bytes, dice: random.Random) -> bytes:
    return data[: dice.randrange(len(data) + 1)]


BYTES: Sequence[Callable[[bytes, random.Random], bytes]] = (
    _flip,
    _flip,
    _cut,
    _insert,
    _insert,
    _repeat,
    _end,
)
Lines = list[bytes]


def _drop(lines: Lines, _: Lines, dice: random.Random) -> None:
    place = dice.randrange(len(lines))
    del lines[place : place + dice.choice((1, 1, 2, 10))]


def _double(lines: Lines, _: Lines, dice: random.Random) -> None:
    place = dice.randrange(len(lines))
    lines[place:place] = lines[place : place + dice.choice((1, 1, 5, 30))]


def _swap(lines: Lines, _: Lines, dice: random.Random) -> None:
    one, other = dice.randrange(len(lines)), dice.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]


def _indent(lines: Lines, _: Lines, dice: random.Random) -> None:
    place = dice.randrange(len(lines))
    for number in range(place, min(len(lines), place + dice.choice((1, 3, 20)))):
        lines[number] = b"    " + lines[number]


def _borrow(lines: Lines, more: Lines, dice: random.Random) -> None:
    place = dice.randrange(len(more))
    taken = more[place : place + dice.choice((1, 3, 20))]
    into = dice.randrange(len(lines) + 1)
    lines[into:into] = taken


def _without_end(lines: Lines, _: Lines, dice: random.Random) -> None:
    place = dice.randrange(len(lines))
    lines[place] = lines[place].rstrip(b"\r\n") + dice.choice((b";", b" ", b"\\\n", b"\r", b"\x0c\n"))


LINES: Sequence[Callable[[Lines, Lines, random.Random], None]] = (
    _drop,
    _double,
    _swap,
    _indent,
    _borrow,
    _without_end,
)
