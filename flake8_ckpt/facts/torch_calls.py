"""What torch and numpy calls give: tables, and the two functions that read them."""

from __future__ import annotations

from collections.abc import Sequence

from flake8_ckpt.facts import tensor_traits
from flake8_ckpt.facts import values as v
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

# Values that something else gives: what a tensor is made of if it is made of them.
HANDED = (v.Parameter, v.Buffer, v.NdArray, v.Param, v.Attr, v.Item, v.Element, v.Local, v.Call)
ORIGINS: tuple[v.Origin, ...] = ("constant", "empty", "data", "random", "complex")


def merge_origin(values: Sequence[v.Value]) -> v.Origin:
    """Return the strongest origin among the tensors of some values; what is not known may hold data."""
    ranks = [ORIGINS.index(_origin(value)) for value in values]
    return ORIGINS[max(ranks)] if ranks else "constant"


def _origin(value: v.Value) -> v.Origin:
    if isinstance(value, v.Tensor):
        return value.origin
    if isinstance(value, v.Container):
        return _origin(value.of) if value.size != 0 else "constant"
    if isinstance(value, (v.Join, v.Arith)):
        return merge_origin(value.options if isinstance(value, v.Join) else value.operands)
    return "data" if isinstance(value, HANDED) else "constant"


def instance_of(path: str) -> v.Value | None:
    """Return what an object of a class of torch or numpy is; None for other classes."""
    tail = path.rpartition(".")[2]
    if path.startswith("torch.") and (tail in TENSOR_CLASSES or path == "torch.tensor"):
        return v.Tensor("data")
    if path in ("torch.nn.Parameter", "torch.nn.parameter.Parameter"):
        return v.Parameter()
    if is_module_class(path):
        return v.Module(path)
    return v.NdArray() if path == "numpy.ndarray" else None


def call_global(path: str, args: Sequence[v.Value], keywords: dict[str, v.Value]) -> v.Value | None:
    """Return what calling a global name of torch, numpy or builtins gives; None where it is unknown here."""
    if path.startswith(OBJECTS) or path in RANDOM_STATES:
        return None
    if path.startswith("torch."):
        return tensor_traits.of_call(_call_torch(path, args, keywords), path, args, keywords)
    if path.startswith("numpy."):
        return _call_numpy(path[6:], args)
    if path.startswith(("math.", "os.", "time.", "sys.")):
        return v.NUMBER
    return None


def _call_torch(path: str, args: Sequence[v.Value], keywords: dict[str, v.Value]) -> v.Value:
    name = path[6:]
    if name in (
        "nn.Parameter",
        "nn.parameter.Parameter",
        "nn.UninitializedParameter",
        "nn.parameter.UninitializedParameter",
    ):
        return v.Parameter()
    if name in (
        "nn.Buffer",
        "nn.parameter.Buffer",
        "nn.UninitializedBuffer",
        "nn.parameter.UninitializedBuffer",
    ):
        return v.Buffer(keywords.get("persistent") != v.Const(False))
    if is_module_class(path):
        return v.Module(path)
    tail = name.rpartition(".")[2]
    trainable = keywords.get("requires_grad") == v.Const(True)
    if name == "autograd.Variable":
        origin = merge_origin(args) if args else "constant"
        return v.Tensor(origin, trainable)
    if "." in name:
        return _call_namespace(name, tail)
    if name in TENSOR_CLASSES:
        return v.Tensor("empty" if all(isinstance(arg, (v.Number, v.Const)) for arg in args) else "data")
    if name in RANDOM:
        return v.Tensor("data" if "generator" in keywords else "random", trainable)
    if name in EMPTY:
        return v.Tensor("empty", trainable)
    if name in FROM_DATA:
        literal = all(_is_literal(arg) for arg in args)
        return v.Tensor(
            "constant" if literal else merge_origin(args) if _has_tensor(args) else "data", trainable
        )
    if name in COMPLEX:
        return v.Tensor("complex", trainable)
    if name in CONSTANT:
        return v.Tensor("constant", trainable)
    if name in ("max", "min") and len(args) > 1 and not _has_tensor(args[1:]):
        return v.Container("tuple", v.Tensor(merge_origin(args)))
    if name in OPERATIONS or name in ("max", "min", "any", "all"):
        return v.Tensor(merge_origin(args))
    if name in SEQUENCES:
        return v.Container("tuple", v.Tensor(merge_origin(args)))
    return v.UNKNOWN


def _call_namespace(name: str, tail: str) -> v.Value:
    head = name.partition(".")[0]
    if head == "cuda" and tail in TENSOR_CLASSES:
        return v.Tensor("empty")
    if name.startswith("nn.functional.") and tail[:1].islower():
        return v.Tensor("data")
    if name.startswith(("fft.", "special.", "signal.")):
        return v.Tensor("constant")
    if name.startswith("linalg."):
        sequences = ("svd", "qr", "eig", "eigh", "slogdet", "lstsq", "lu", "lu_factor")
        return v.Container("tuple", v.Tensor("data")) if tail in sequences else v.Tensor("data")
    return v.UNKNOWN


def _is_literal(value: v.Value) -> bool:
    if isinstance(value, v.Container):
        return _is_literal(value.of)
    if isinstance(value, v.Join):
        return all(_is_literal(option) for option in value.options)
    return isinstance(value, (v.Const, v.Number))


def _has_tensor(args: Sequence[v.Value]) -> bool:
    return any(isinstance(arg, v.Tensor) for arg in args)


def _call_numpy(name: str, args: Sequence[v.Value]) -> v.Value:
    if name in ARRAYS:
        return v.NdArray()
    if name in ELEMENTWISE:
        return v.Arith(tuple(args))
    if name.startswith("random.") and args:
        return v.NdArray()
    if name in ("float32", "float64", "int32", "int64", "prod", "isscalar", "ndim", "size"):
        return v.NUMBER
    return v.UNKNOWN


def call_method(base: v.Value, name: str, args: Sequence[v.Value], keywords: dict[str, v.Value]) -> v.Value:
    """Return what a method of a tensor, array or number gives."""
    if isinstance(base, v.Tensor):
        made = _call_tensor_method(base, name, args)
        return tensor_traits.of_method(made, base, name, args, keywords)
    if isinstance(base, v.NdArray):
        return v.NUMBER if name in ("item", "tolist", "tobytes", "any", "all") else v.NdArray()
    return v.NUMBER


def _call_tensor_method(base: v.Tensor, name: str, args: Sequence[v.Value]) -> v.Value:
    if name == "numpy":
        return v.NdArray()
    if (name in NOT_TENSOR or name.startswith("is_")) and not (name == "type" and args):
        return v.NUMBER
    if name in SEQUENCES or (
        name in ("max", "min", "std_mean", "var_mean") and args and isinstance(args[0], (v.Const, v.Number))
    ):
        return v.Container("tuple", v.Tensor(base.origin))
    if name == "requires_grad_":
        return v.Tensor(base.origin, tuple(args[:1]) != (v.Const(False),))
    if name in ("normal_", "uniform_", "random_", "exponential_", "bernoulli_", "trunc_normal_"):
        return v.Tensor("random", base.trainable)
    filled = name in ("fill_", "zero_", "copy_")
    kept = name.endswith("_") or name in ("to", "cuda", "float", "double", "half")
    return v.Tensor("constant" if filled else base.origin, base.trainable and kept)


def combine(operands: Sequence[v.Value]) -> v.Value:
    """Return what arithmetic on some values gives; stays symbolic where an operand decides."""
    if any(isinstance(operand, v.Tensor) for operand in operands):
        return tensor_traits.of_arithmetic(v.Tensor(merge_origin(operands)), operands)
    if any(isinstance(operand, (v.Parameter, v.Buffer)) for operand in operands):
        return v.Tensor("data")
    if all(isinstance(operand, (v.Const, v.Number)) for operand in operands):
        return v.NUMBER
    if all(isinstance(operand, (v.Const, v.Number, v.NdArray)) for operand in operands):
        return v.NdArray()
    return v.Arith(tuple(operands))
