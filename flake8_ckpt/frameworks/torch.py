"""Which names of torch and numpy give tensors, arrays and modules, and which change them in place."""

from __future__ import annotations

from flake8_ckpt.frameworks.known import DEFAULT
from flake8_ckpt.frameworks.vocabulary import names
from flake8_ckpt.frameworks.vocabulary import names_in_order
from flake8_ckpt.frameworks.vocabulary import pattern

RANDOM = names("torch", "function", "random values")
EMPTY = names("torch", "function", "unset memory")
FROM_DATA = names("torch", "function", "given values")
CONSTANT = names("torch", "function", "constants")
OPERATIONS = names("torch", "function", "computed values")
TENSOR_ONLY = names("torch", "function", "computed from tensors alone")
SEQUENCES = names("torch", "function", "several tensors")
COMPLEX = names("torch", "function", "complex numbers")
COMPILERS = names("torch", "function", "what it is given, made faster")
REPARAMETRIZERS = pattern("torch", "function", "what it is given, changed")
TENSOR_CLASSES = names("torch", "class", "tensors")
DTYPES = names("torch", "constant", "data types")
NOT_TENSOR = names("torch", "method", "no tensor")
NOT_TENSOR_FIELDS = names("torch", "attribute", "no tensor")
SHAPE_METHODS = names("torch", "method", "shape or type")
MOVES = names("torch", "method", "values elsewhere")
VIEWS = MOVES | names("torch", "method", "same values")
OVERWRITES = names("torch", "method", "overwrites the values")
INPLACE_HARMLESS = names("torch", "method", "changes no value")
MODULE_METHODS = names("torch", "method", "the module itself")
MODULE_NAMESPACES = names_in_order("torch", "namespace", "modules")
NOT_MODULES = names("torch", "class", "no modules")
STATELESS = pattern("torch", "class", "modules without state")
OBJECTS = names_in_order("torch", "namespace", "objects with state that are no modules")
ARRAYS = names("numpy", "function", "an array")
ELEMENTWISE = names("numpy", "function", "computed values")
RANDOM_STATES = DEFAULT.random_states
# Functions that write any object, with its class, to a file.
PICKLERS = frozenset(
    name for name in DEFAULT.pickles & DEFAULT.payload_saves if DEFAULT.saves[name].kind == "function"
)


def is_stateless(path: str) -> bool:
    """Tell whether a module of torch has neither parameters nor buffers: an activation, a loss, a pooling."""
    return path.startswith("torch.nn.") and STATELESS.search(path) is not None


def is_module_class(path: str) -> bool:
    """Tell whether an absolute name is a module class of torch itself."""
    tail = path.rpartition(".")[2]
    return (
        path.startswith(MODULE_NAMESPACES)
        and tail.lstrip("_")[:1].isupper()
        and path not in NOT_MODULES
        and ".utils." not in path
    )
