"""Which words of a file's text call torch or numpy, by what the file imports, and which helpers build with them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flake8_ckpt.source.tree import Function
from flake8_ckpt.source.tree import dotted
from flake8_ckpt.source.tree import statements

USUAL = frozenset("torch np numpy F nn".split())
LIBRARIES = re.compile(r"^(torch|numpy)(\.|$)")
# Annotations that promise nothing: such a helper is read as if it had none.
VAGUE = frozenset(["Any", "object"])
RANDOM = re.compile(r"rand|normal_?\(|uniform_\(|bernoulli|multinomial")
MAX_HELPER = 2500
# Helpers without a word of torch are read where they are as short as this, and hand on what others give.
MAX_FORWARDER = 500
FORWARDS = re.compile(r"\breturn\s+(\w+)(?:\s*$|\s*\()", re.MULTILINE)


def builders_of(tree: ast.Module) -> re.Pattern[str]:
    """Return the pattern of what calls torch or numpy in a file: `th.`, `zeros(`."""
    names = sorted(USUAL.union(_imported(tree)), key=len, reverse=True)
    return re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, names))})\s*[.(]")


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in statements(tree.body):
        if isinstance(node, ast.Import):
            yield from (each.asname for each in node.names if each.asname and LIBRARIES.match(each.name))
        elif isinstance(node, ast.ImportFrom) and LIBRARIES.match(node.module or "") and not node.level:
            yield from (each.asname or each.name for each in node.names if each.name != "*")


def is_helper(node: Function, text: str, builders: re.Pattern[str], is_called: bool) -> bool:
    """Tell whether a function may give what others set: it builds tensors, or hands on what it is given."""
    if "return" not in text:
        return False
    if node.returns is not None and dotted(node.returns).rpartition(".")[2] not in VAGUE:
        return _draws_tensor(node, text)
    if is_called or len(text) < MAX_HELPER and builders.search(text) is not None:
        return True
    return len(text) < MAX_FORWARDER and FORWARDS.search(text) is not None


def _draws_tensor(node: Function, text: str) -> bool:
    """Tell whether a function that is annotated with a tensor may draw it at random, which no annotation says."""
    promised = ast.unparse(node.returns) if node.returns is not None else ""
    return "Tensor" in promised and len(text) < MAX_HELPER and RANDOM.search(text) is not None
