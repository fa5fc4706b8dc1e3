"""What a file's text says beside its statements: is it a program, does it move modules, what do comments say."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Literal

from flake8_ckpt.facts.syntax import parameter_names
from flake8_ckpt.source.tree import dotted

Devices = Literal["", "moved", "default"]
# `net.to(device)`, `net.to(args.device)`, `net.to("cuda")`, and what takes a module there itself; not
# `table.to(x.device)`, which follows an input. Both are looked for in lower case, behind a word that has to be there.
TO_DEVICE = re.compile(
    r"\.to\(\s*(?:device\s*=\s*)?(?:f?[\"']|torch\.device\("
    r"|(?:(?:self|args|opts?|options|cfg|config|conf|hparams|params|settings|flags|accelerator|fabric|trainer)"
    r"(?:\.\w+)*[.\[][\"']?)?_?(?:device|dev|gpu|cuda|rank|local_rank)\w*[\"']?\]?\s*[,)])"
)
PLACERS = (
    "prepare",
    "setup_module",
    "dataparallel",
    "distributeddataparallel",
    "fullyshardeddataparallel",
    "ddp",
    "trainer",
    "to_device",
    "dispatch_model",
    "fully_shard",
    "to_empty",
)
# Whatever is made after this call lies where the modules do.
DEFAULTS = re.compile(r"\b(?:set_default_device|set_default_tensor_type)\(")
MAIN = re.compile(r"__name__\s*==\s*[\"']__main__[\"']|[\"']__main__[\"']\s*==\s*__name__")
# `# no buffer: .half() would round it`
REMARKS = re.compile(r"#[^\n]*\bbuffers?\b", re.IGNORECASE)
# `taps.to(x.device)`, `taps.detach().type_as(x)`
MOVES = re.compile(r"\.(?:to|cuda|type_as)\(")
MOVED = re.compile(r"(?<![\w.])(\w+)(?:\.\w+\(\))?$")
MAX_MOVED = 80
# `assert taps.device == device`
ASSERTED = re.compile(r"\bassert (\w+)\.(?:device\b|is_cuda\b|get_device\()")
# A local is counted up, not an attribute or an item.
COUNTS = re.compile(r"(?:^|[\s;:])\w+[ \t\\]*\+=")
# `epsilon *= 0.99`, `noise = max(low, noise * decay)`; what else has such a name is asked by the tree.
DECAYS = re.compile(
    r"^\s*(\w*(?:eps|noise|explor|temperature|anneal|forcing)\w*)[ \t]*(?:[-*/+]=|=.*\b\1\b)", re.I
)
# `import_module("models." + name + "_model")`
IMPORTERS = ("import_module", "__import__")
LOOPS = (ast.For, ast.While, ast.With)
# `    from models.unet import (UNet, Attention as A)` in a function, and `import models.unet` anywhere.
INNER_IMPORT = re.compile(r"\s+from\s+([\w.]+)\s+import\s+\(?([^#)]*)|\s*import\s+()([\w., \t]+)")
MAX_IMPORT_LINES = 40


def devices_of(text: str) -> Devices:
    """Return what a file does with devices: it takes modules to one, it makes everything on one, or nothing."""
    if "set_default_" in text and DEFAULTS.search(text) is not None:
        return "default"
    return "moved" if _moves(text.lower()) else ""


def _moves(text: str) -> bool:
    """Tell whether a text in lower case takes modules to a device."""
    if ".cuda(" in text or ".to(" in text and TO_DEVICE.search(text) is not None:
        return True
    return any(is_called(name, text) for name in PLACERS)


def is_called(name: str, text: str) -> bool:
    """Tell whether a text has the call of a name: not of a longer one that ends with it."""
    start = text.find(f"{name}(")
    while start > 0 and (text[start - 1].isalnum() or text[start - 1] == "_"):
        start = text.find(f"{name}(", start + 1)
    return start >= 0


def moved_parameters(node: ast.FunctionDef | ast.AsyncFunctionDef, text: str) -> tuple[str, ...]:
    """Return the parameters of a function that its text moves to another device, or asserts to lie on one."""
    if not any(each in text for each in (".to(", ".cuda(", ".type_as(", "assert ")):
        return ()
    names = parameter_names(node.args)
    ends = (match.start() for match in MOVES.finditer(text))
    moved = (MOVED.search(text, max(end - MAX_MOVED, 0), end) for end in ends)
    asserted = ASSERTED.findall(text)
    found = dict.fromkeys([*(match[1] for match in moved if match is not None), *asserted])
    return tuple(name for name in found if name in names and name != "self")


def remarks_in(lines: list[str]) -> frozenset[int]:
    """Return the numbers of the lines whose comments say something of buffers."""
    return frozenset(
        number for number, line in enumerate(lines, 1) if "#" in line and REMARKS.search(line) is not None
    )


def ordered_in(lines: list[str]) -> frozenset[int]:
    """Return the numbers of the lines that may compare something by less or greater."""
    return frozenset(number for number, line in enumerate(lines, 1) if "<" in line or ">" in line)


def counted_in(lines: list[str]) -> frozenset[int]:
    """Return the numbers of the lines that may count something up, `step += 1`, or let it decay, `eps *= 0.99`."""
    return frozenset(
        number
        for number, line in enumerate(lines, 1)
        if "=" in line
        and (
            "+=" in line
            and COUNTS.search(line) is not None
            or "+ 1" in line
            or DECAYS.match(line) is not None
        )
    )


def inner_imports(lines: list[str]) -> tuple[str, ...]:
    """Return the dotted names that functions import, and modules that are imported by all parts of their name."""
    found: dict[str, None] = {}
    for number, line in enumerate(lines):
        match = INNER_IMPORT.match(line) if "import " in line else None
        if match is None:
            continue
        named = match[2] if match[2] is not None else match[4]
        if "(" in line and ")" not in line:
            named += "".join(_until_closed(lines[number + 1 : number + MAX_IMPORT_LINES]))
        base = match[1] or ""
        between = "" if not base or base.endswith(".") else "."
        parts = (each.split() for each in named.split(","))
        found.update((f"{base}{between}{each[0]}", None) for each in parts if each)
    return tuple(name for name in found if "." in name)


def _until_closed(lines: list[str]) -> Iterator[str]:
    for line in lines:
        yield line.partition("#")[0].partition(")")[0]
        if ")" in line:
            return


def spans(node: ast.expr | ast.stmt, lines: frozenset[int]) -> bool:
    """Tell whether a node stands on some of the lines."""
    return not lines.isdisjoint(range(node.lineno, (node.end_lineno or node.lineno) + 1))


def is_program(tree: ast.Module, text: str) -> bool:
    """Tell whether a file is made to be run: it has a main guard, or its own statements do the work."""
    if "__main__" in text and MAIN.search(text) is not None:
        return True
    own = {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}
    own |= {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return any(isinstance(node, LOOPS) or _calls(node, own) for node in tree.body)


def _calls(node: ast.stmt, own: set[str]) -> bool:
    """Tell whether a statement calls a function of the file, or a method of an object that the file made."""
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return False
    return dotted(node.value.func).partition(".")[0] in own


def dynamic_imports(tree: ast.Module, text: str) -> tuple[str, ...]:
    """Return what is known of the names: "models.*_model", "*" where it is nothing."""
    if not any(f"{each}(" in text for each in IMPORTERS):
        return ()
    nodes = list(ast.walk(tree))
    bound = {
        node.targets[0].id: node.value
        for node in nodes
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    calls = (each for each in nodes if isinstance(each, ast.Call) and each.args)
    named = (each.args[0] for each in calls if dotted(each.func).rpartition(".")[2] in IMPORTERS)
    return tuple(dict.fromkeys("".join(_parts(each, bound)).lstrip(".") for each in named))


def _parts(node: ast.expr, bound: dict[str, ast.expr]) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from _parts(node.left, bound)
        yield from _parts(node.right, bound)
    elif isinstance(node, ast.JoinedStr):
        for each in node.values:
            yield from _parts(each, bound)
    elif isinstance(node, ast.Name) and isinstance(
        bound.get(node.id), (ast.BinOp, ast.JoinedStr, ast.Constant)
    ):
        yield from _parts(bound.pop(node.id), bound)
    else:
        yield "*"
