"""Which right-hand sides plainly hold no tensor, array, module or container of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field

from flake8_ckpt.source.tree import Function
from flake8_ckpt.source.tree import segment

PLAIN_FUNCTIONS = frozenset(
    "abs all any bool bytes callable divmod float format frozenset getattr hasattr hash id input int"
    " isinstance issubclass iter len max min open ord partial pow print property range repr round slice"
    " str sum super type vars namedtuple field getLogger deepcopy".split()
)
PLAIN_METHODS = frozenset(
    "get pop format join split rsplit lower upper strip item tolist size numel dim index count keys"
    " startswith endswith replace getLogger get_logger to_dict from_config from_pretrained from_dict"
    " encode decode is_available get_default_dtype device Lock Event perf_counter time getenv isfile"
    " exists partition".split()
)
PLAIN_ROOTS = frozenset(
    "math os logging time functools warnings sys re json random itertools operator inspect".split()
)
STATE_CLASSES = re.compile(r"(Tensor|Variable|OrderedDict|defaultdict|deque)$")
TENSOR_TEXT = re.compile(
    r"Tensor|ndarray|Variable|Parameter|torch\.|(List|Sequence|Iterable|Tuple|Dict|list|tuple|dict)\[.*[A-Z]"
)
PLURALS = re.compile(
    r"(?:^|_)(models|encoders|decoders|generators|layers|nets|networks|modules|blocks|critics|actors|heads|ensemble)$"
)
MAX_DEPTH = 60


@dataclass
class Bindings:
    """What the names inside one function may be bound to; `suspect` parameters may hold state."""

    parameters: frozenset[str]
    suspect: frozenset[str]
    locals: Mapping[str, Sequence[ast.expr]]
    open: set[str] = field(default_factory=set)


def bindings_of(
    function: Function, bindings: Mapping[str, Sequence[ast.expr]], grown: Sequence[str], lines: list[str]
) -> Bindings:
    """Say which names of a function may hold tensors or containers: parameters by annotation, default and name.

    `grown` names the locals that are filled step by step.
    """
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    suspect = {arg.arg for arg in every if _is_suspect(arg, lines)} | set(grown)
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = list(zip(reversed(positional), reversed(arguments.defaults)))
    defaults += [(arg, value) for arg, value in zip(arguments.kwonlyargs, arguments.kw_defaults) if value]
    suspect |= {
        arg.arg for arg, value in defaults if isinstance(value, (ast.Call, ast.List, ast.Tuple, ast.Dict))
    }
    names = {arg.arg for arg in every}
    names |= {arg.arg for arg in (arguments.vararg, arguments.kwarg) if arg}
    return Bindings(frozenset(names), frozenset(suspect), bindings)


def _is_suspect(arg: ast.arg, lines: list[str]) -> bool:
    if arg.annotation is None:
        return PLURALS.search(arg.arg) is not None
    return TENSOR_TEXT.search(segment(arg.annotation, lines)) is not None


def is_harmless(node: ast.expr, names: Bindings, depth: int = 0) -> bool:
    """Tell whether an expression plainly gives a number, a string, a module or a config value."""
    if depth > MAX_DEPTH:
        return False
    if isinstance(node, (ast.Constant, ast.JoinedStr, ast.Lambda, ast.Compare)):
        return True
    if isinstance(node, ast.Name):
        return _is_harmless_name(node.id, names, depth)
    if isinstance(node, (ast.Attribute, ast.Subscript)):
        return is_harmless(node.value, names, depth + 1)
    if isinstance(node, ast.Call):
        return _is_harmless_call(node, names, depth)
    operands = _operands(node)
    if operands is None:
        return _is_harmless_display(node, names, depth)
    return all(is_harmless(operand, names, depth + 1) for operand in operands)


def _operands(node: ast.expr) -> list[ast.expr] | None:
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.UnaryOp):
        return [node.operand]
    if isinstance(node, ast.BoolOp):
        return node.values
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    return None


def _is_harmless_name(name: str, names: Bindings, depth: int) -> bool:
    if name in names.locals:
        if name in names.open:
            return True
        names.open.add(name)
        harmless = all(is_harmless(value, names, depth + 1) for value in names.locals[name])
        names.open.discard(name)
        return harmless and name not in names.suspect
    return name not in names.suspect


def _is_harmless_call(node: ast.Call, names: Bindings, depth: int) -> bool:
    function = node.func
    if isinstance(function, ast.Name):
        if function.id[:1].isupper():
            return STATE_CLASSES.search(function.id) is None
        if function.id in ("max", "min", "abs", "sum"):
            return all(is_harmless(argument, names, depth + 1) for argument in node.args)
        return function.id in PLAIN_FUNCTIONS
    if not isinstance(function, ast.Attribute):
        return isinstance(function, ast.Call) and is_harmless(function, names, depth + 1)
    if function.attr[:1].isupper():
        return STATE_CLASSES.search(function.attr) is None
    if isinstance(function.value, ast.Name) and function.value.id in PLAIN_ROOTS:
        return True
    return function.attr in PLAIN_METHODS


def _is_harmless_display(node: ast.expr, names: Bindings, depth: int) -> bool:
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return all(_is_harmless_element(element, names, depth) for element in node.elts)
    if isinstance(node, ast.Dict):
        return all(_is_harmless_element(value, names, depth) for value in node.values)
    if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp)):
        return _is_harmless_element(node.elt, names, depth)
    if isinstance(node, ast.DictComp):
        return _is_harmless_element(node.value, names, depth)
    return False


def _is_harmless_element(node: ast.expr, names: Bindings, depth: int) -> bool:
    if isinstance(node, (ast.Name, ast.Starred)):
        return False
    if isinstance(node, ast.Call):
        function = node.func
        return isinstance(function, ast.Name) and function.id in PLAIN_FUNCTIONS
    return is_harmless(node, names, depth + 1)
