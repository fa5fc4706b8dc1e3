"""What torch and numpy calls give: tables, and the two functions that read them."""

from __future__ import annotations

from collections.abc import Sequence

from flake8_ckpt.facts.values import NUMBER
from flake8_ckpt.facts.values import UNKNOWN
from flake8_ckpt.facts.values import Arith
from flake8_ckpt.facts.values import Buffer
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Container
from flake8_ckpt.facts.values import Join
from flake8_ckpt.facts.values import Module
from flake8_ckpt.facts.values import NdArray
from flake8_ckpt.facts.values import Number
from flake8_ckpt.facts.values import Parameter
from flake8_ckpt.facts.values import Tensor
from flake8_ckpt.facts.values import Value
from flake8_ckpt.frameworks.torch import ARRAYS
from flake8_ckpt.frameworks.torch import COMPLEX
from flake8_ckpt.frameworks.torch import CONSTANT
from flake8_ckpt.frameworks.torch import ELEMENTWISE
from flake8_ckpt.frameworks.torch import EMPTY
from flake8_ckpt.frameworks.torch import FROM_DATA
from flake8_ckpt.frameworks.torch import NOT_TENSOR
from flake8_ckpt.frameworks.torch import OBJECTS
from flake8_ckpt.frameworks.torch import OPERATIONS
from flake8_ckpt.frameworks.torch import RANDOM
from flake8_ckpt.frameworks.torch import RANDOM_STATES
from flake8_ckpt.frameworks.torch import SEQUENCES
from flake8_ckpt.frameworks.torch import TENSOR_CLASSES
from flake8_ckpt.frameworks.torch import is_module_class

ORIGINS = ("constant", "empty", "data", "random", "complex")


def merge_origin(values: Sequence[Value]) -> str:
    """Return the strongest origin among the tensors of some values."""
    ranks = [ORIGINS.index(value.origin) for value in values if isinstance(value, Tensor)]
    return ORIGINS[max(ranks)] if ranks else "constant"


def instance_of(path: str) -> Value | None:
    """Return what an object of a class of torch or numpy is; None for other classes."""
    tail = path.rpartition(".")[2]
    if path.startswith("torch.") and (tail in TENSOR_CLASSES or path == "torch.tensor"):
        return Tensor("data")
    if path in ("torch.nn.Parameter", "torch.nn.parameter.Parameter"):
        return Parameter()
    if is_module_class(path):
        return Module(path)
    return NdArray() if path == "numpy.ndarray" else None


def call_global(path: str, args: Sequence[Value], keywords: dict[str, Value]) -> Value | None:
    """Return what calling a global name of torch, numpy or builtins gives; None where it is unknown here."""
    if path.startswith(OBJECTS) or path in RANDOM_STATES:
        return None
    if path.startswith("torch."):
        return _call_torch(path, args, keywords)
    if path.startswith("numpy."):
        return _call_numpy(path[6:], args)
    if path.startswith(("math.", "os.", "time.", "sys.")):
        return NUMBER
    return None


def _call_torch(path: str, args: Sequence[Value], keywords: dict[str, Value]) -> Value | None:
    name = path[6:]
    if name in (
        "nn.Parameter",
        "nn.parameter.Parameter",
        "nn.UninitializedParameter",
        "nn.parameter.UninitializedParameter",
    ):
        return Parameter()
    if name in (
        "nn.Buffer",
        "nn.parameter.Buffer",
        "nn.UninitializedBuffer",
        "nn.parameter.UninitializedBuffer",
    ):
        return Buffer(keywords.get("persistent") != Const(False))
    if is_module_class(path):
        return Module(path)
    tail = name.rpartition(".")[2]
    trainable = keywords.get("requires_grad") == Const(True)
    if name == "autograd.Variable":
        origin = merge_origin(args) if args else "constant"
        return Tensor(origin, trainable)
    if "." in name:
        return _call_namespace(name, tail)
    if name in TENSOR_CLASSES:
        return Tensor("empty" if all(isinstance(arg, (Number, Const)) for arg in args) else "data")
    if name in RANDOM:
        return Tensor("data" if "generator" in keywords else "random", trainable)
    if name in EMPTY:
        return Tensor("empty", trainable)
    if name in FROM_DATA:
        literal = all(_is_literal(arg) for arg in args)
        return Tensor(
            "constant" if literal else merge_origin(args) if _has_tensor(args) else "data", trainable
        )
    if name in COMPLEX:
        return Tensor("complex", trainable)
    if name in CONSTANT:
        return Tensor("constant", trainable)
    if name in ("max", "min") and len(args) > 1 and not _has_tensor(args[1:]):
        return Container("tuple", Tensor(merge_origin(args)))
    if name in OPERATIONS or name in ("max", "min", "any", "all"):
        return Tensor(merge_origin(args))
    if name in SEQUENCES:
        return Container("tuple", Tensor(merge_origin(args)))
    return UNKNOWN


def _call_namespace(name: str, tail: str) -> Value:
    head = name.partition(".")[0]
    if head == "cuda" and tail in TENSOR_CLASSES:
        return Tensor("empty")
    if name.startswith("nn.functional.") and tail[:1].islower():
        return Tensor("data")
    if name.startswith(("fft.", "special.", "signal.")):
        return Tensor("constant")
    if name.startswith("linalg."):
        sequences = ("svd", "qr", "eig", "eigh", "slogdet", "lstsq", "lu", "lu_factor")
        return Container("tuple", Tensor("data")) if tail in sequences else Tensor("data")
    return UNKNOWN


def _is_literal(value: Value) -> bool:
    if isinstance(value, Container):
        return _is_literal(value.of)
    if isinstance(value, Join):
        return all(_is_literal(option) for option in value.options)
    return isinstance(value, (Const, Number))


def _has_tensor(args: Sequence[Value]) -> bool:
    return any(isinstance(arg, Tensor) for arg in args)


def _call_numpy(name: str, args: Sequence[Value]) -> Value:
    if name in ARRAYS:
        return NdArray()
    if name in ELEMENTWISE:
        return Arith(tuple(args))
    if name.startswith("random.") and args:
        return NdArray()
    if name in ("float32", "float64", "int32", "int64", "prod", "isscalar", "ndim", "size"):
        return NUMBER
    return UNKNOWN


def call_method(base: Value, name: str, args: Sequence[Value]) -> Value:
    """Return what a method of a tensor, array or number gives."""
    if isinstance(base, Tensor):
        return _call_tensor_method(base, name, args)
    if isinstance(base, NdArray):
        return NUMBER if name in ("item", "tolist", "tobytes", "any", "all") else NdArray()
    return NUMBER


def _call_tensor_method(base: Tensor, name: str, args: Sequence[Value]) -> Value:
    if name == "numpy":
        return NdArray()
    if (name in NOT_TENSOR or name.startswith("is_")) and not (name == "type" and args):
        return NUMBER
    if name in SEQUENCES or (
        name in ("max", "min", "std_mean", "var_mean") and args and isinstance(args[0], (Const, Number))
    ):
        return Container("tuple", Tensor(base.origin))
    if name == "requires_grad_":
        return Tensor(base.origin, tuple(args[:1]) != (Const(False),))
    if name in ("normal_", "uniform_", "random_", "exponential_", "bernoulli_", "trunc_normal_"):
        return Tensor("random", base.trainable)
    filled = name in ("fill_", "zero_", "copy_")
    kept = name.endswith("_") or name in ("to", "cuda", "float", "double", "half")
    return Tensor("constant" if filled else base.origin, base.trainable and kept)


def combine(operands: Sequence[Value]) -> Value:
    """Return what arithmetic on some values gives; stays symbolic where an operand decides."""
    if any(isinstance(operand, Tensor) for operand in operands):
        return Tensor(merge_origin(operands))
    if any(isinstance(operand, (Parameter, Buffer)) for operand in operands):
        return Tensor("data")
    if all(isinstance(operand, (Const, Number)) for operand in operands):
        return NUMBER
    if all(isinstance(operand, (Const, Number, NdArray)) for operand in operands):
        return NdArray()
    return Arith(tuple(operands))
