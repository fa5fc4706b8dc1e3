"""Which classes of other packages are `nn.Module`s."""

from __future__ import annotations

from collections.abc import Sequence

from flake8_ckpt.frameworks.known import Frameworks
from flake8_ckpt.frameworks.torch import is_module_class


def is_external_module(path: str, known: Frameworks, extra: Sequence[str] = ()) -> bool:
    """Tell whether a class outside the project is a module, by its absolute name."""
    if path in known.modules:
        return known.modules[path]
    if path in extra or is_module_class(path):
        return True
    tail = path.rpartition(".")[2]
    return tail in extra or (path.startswith(known.module_namespaces) and tail[:1].isupper())
