"""Methods of Python's, torch's and numpy's own objects that keep nothing and restore nothing."""

from __future__ import annotations

from flake8_ckpt.frameworks.torch import ELEMENTWISE
from flake8_ckpt.frameworks.torch import NOT_TENSOR
from flake8_ckpt.frameworks.torch import OPERATIONS
from flake8_ckpt.frameworks.torch import SHAPE_METHODS
from flake8_ckpt.frameworks.torch import VIEWS
from flake8_ckpt.frameworks.vocabulary import names

OF_TEXTS = names("python", "method", "of texts")
OF_CONTAINERS = names("python", "method", "of containers")
OF_FILES = names("python", "method", "of files")
OF_PARSERS = names("python", "method", "of command lines")
OF_LOGS = names("python", "method", "of logs and plots")
PLAIN_METHODS = (
    (OF_TEXTS | OF_CONTAINERS | OF_FILES | OF_PARSERS | OF_LOGS)
    | (
        OPERATIONS
        | NOT_TENSOR
        | SHAPE_METHODS
        | VIEWS
        | ELEMENTWISE
        | {"numpy", "squeeze", "unsqueeze", "expand"}
    )
) - {"requires_grad_", "backward", "data", "apply", "add", "train", "eval"}
