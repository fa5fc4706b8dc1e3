"""Methods of Python's, torch's and numpy's own objects that keep nothing and restore nothing."""

from __future__ import annotations

from flake8_ckpt.frameworks.torch import ELEMENTWISE
from flake8_ckpt.frameworks.torch import NOT_TENSOR
from flake8_ckpt.frameworks.torch import OPERATIONS
from flake8_ckpt.frameworks.torch import SHAPE_METHODS
from flake8_ckpt.frameworks.torch import VIEWS

OF_TEXTS = frozenset(
    "startswith endswith split rsplit splitlines join strip lstrip rstrip lower upper title capitalize replace format"
    " encode decode partition rpartition zfill ljust rjust center removeprefix removesuffix isdigit count find rfind"
    " index strftime isoformat timestamp total_seconds hexdigest match search findall finditer sub group groups".split()
)
OF_CONTAINERS = frozenset(
    "get pop keys values items copy sort reverse remove discard union intersection difference popleft popitem".split()
)
OF_FILES = frozenset(
    "mkdir exists is_file is_dir is_absolute glob rglob iterdir resolve with_suffix with_name relative_to as_posix"
    " absolute expanduser unlink stat touch read_text close flush readline readlines seek tell fileno".split()
)
OF_PARSERS = frozenset(
    "add_argument add_argument_group add_parser add_subparsers parse_args parse_known_args set_defaults".split()
)
OF_LOGS = frozenset(
    "info debug warning error exception critical add_scalar add_scalars add_text add_image add_histogram set_postfix"
    " set_description write_line print legend plot set_title set_xlabel set_ylabel".split()
)
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
