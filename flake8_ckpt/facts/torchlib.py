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

RANDOM = frozenset(
    "rand randn randint randperm normal bernoulli multinomial poisson rand_like randn_like randint_like".split()
)
EMPTY = frozenset("empty empty_like empty_strided".split())
FROM_DATA = frozenset("tensor as_tensor from_numpy asarray clone detach".split())
CONSTANT = frozenset(
    "zeros ones full eye arange linspace logspace range zeros_like ones_like full_like diag diagflat diagonal"
    " hann_window hamming_window blackman_window bartlett_window kaiser_window tril_indices triu_indices"
    " scalar_tensor heaviside".split()
)
OPERATIONS = frozenset(
    "abs absolute acos add addcdiv addcmul addmm amax amin angle argmax argmin argsort asin atan atan2"
    " baddbmm bincount bmm cartesian_prod cat ceil cdist cholesky clamp clip combinations concat"
    " concatenate conj cos cosh cov cross cumprod cumsum deg2rad diff div divide dot dstack einsum eq erf"
    " erfinv exp exp2 expm1 flatten flip fliplr flipud floor floor_divide fmod frac gather ge gt histc"
    " hstack hypot imag index_select inner inverse isfinite isinf isnan kron le lerp log log10 log1p log2"
    " logical_and logical_not logical_or logsumexp lt masked_fill masked_select matmul maximum mean"
    " minimum mm moveaxis movedim mul multiply mv nan_to_num narrow ne neg negative norm numel_ outer"
    " permute pow prod quantile rad2deg real reciprocal relu remainder repeat_interleave reshape roll"
    " rot90 round rsqrt scatter searchsorted select sigmoid sign sin sinc sinh softmax sqrt square squeeze"
    " stack std sub subtract sum take t tan tanh tensordot tile trace transpose trapz tril triu"
    " true_divide trunc unflatten unsqueeze vander var vstack where xlogy block_diag bucketize"
    " broadcast_to column_stack cosine_similarity fft logit atleast_1d atleast_2d".split()
)
TENSOR_ONLY = frozenset(
    "cumprod cumsum matmul mm bmm gather index_select masked_fill repeat_interleave flip roll sqrt rsqrt"
    " exp log conv2d conv1d conv3d grid_sample clamp sin cos softmax sum mean unsqueeze squeeze transpose".split()
)
SEQUENCES = frozenset(
    "split chunk unbind meshgrid tensor_split broadcast_tensors nonzero_tuple topk sort mode kthvalue".split()
)
TENSOR_CLASSES = frozenset(
    "Tensor FloatTensor DoubleTensor HalfTensor LongTensor IntTensor ShortTensor ByteTensor BoolTensor"
    " BFloat16Tensor".split()
)
NOT_TENSOR = frozenset(
    "item size dim numel nelement tolist stride storage_offset element_size data_ptr is_contiguous type"
    " ndimension backward register_hook is_floating_point is_complex equal allclose get_device storage"
    " untyped_storage retain_grad dim_order is_signed has_names".split()
)
NOT_TENSOR_FIELDS = frozenset(
    "shape dtype device ndim is_cuda requires_grad layout names is_leaf is_sparse is_quantized itemsize"
    " nbytes grad_fn".split()
)
MOVES = frozenset("to cuda cpu type_as xpu npu".split())
VIEWS = MOVES | frozenset(
    "detach clone contiguous float double half bfloat16 type long int view reshape requires_grad_ data".split()
)
OVERWRITES = frozenset(
    "copy_ fill_ zero_ normal_ uniform_ set_ random_ exponential_ bernoulli_ xavier_uniform_"
    " trunc_normal_ resize_".split()
)
INPLACE_HARMLESS = frozenset(
    "requires_grad_ share_memory_ detach_ retain_grad_ pin_memory_ eval_ train_".split()
)
ARRAYS = frozenset(
    "zeros ones empty full array asarray arange linspace logspace eye zeros_like ones_like full_like"
    " empty_like concatenate stack vstack hstack tile repeat load loadtxt fromiter frombuffer identity"
    " diag tri tril triu meshgrid".split()
)
ELEMENTWISE = frozenset(
    "sqrt exp log log2 log10 sin cos tan tanh abs absolute power square sign floor ceil round clip"
    " maximum minimum mean std var sum prod cumsum cumprod dot matmul outer where sort argsort max min"
    " transpose reshape add multiply subtract divide true_divide percentile median".split()
)
MODULE_METHODS = frozenset(
    "to cuda cpu eval train half float double requires_grad_ apply bfloat16 compile".split()
)
MODULE_NAMESPACES = (
    "torch.nn.",
    "torch.ao.nn.",
    "torch.nn.modules.",
    "torchvision.models.",
    "torchvision.ops.",
)
NOT_MODULES = frozenset(
    "torch.nn.Parameter torch.nn.parameter.Parameter torch.nn.Buffer torch.nn.parameter.Buffer"
    " torch.nn.ModuleNotFoundError torch.nn.UninitializedParameter torch.nn.UninitializedBuffer"
    " torch.nn.parameter.UninitializedParameter torch.nn.parameter.UninitializedBuffer".split()
)
# Classes of torch whose objects have state of their own but are no modules.
OBJECTS = ("torch.optim.", "torch.amp.", "torch.cuda.amp.")
RANDOM_STATES = frozenset(
    "random.getstate numpy.random.get_state torch.get_rng_state torch.random.get_rng_state torch.cuda.get_rng_state"
    " torch.cuda.get_rng_state_all random.setstate numpy.random.set_state torch.set_rng_state torch.cuda.set_rng_state"
    " torch.cuda.set_rng_state_all torch.random.set_rng_state".split()
)
COMPLEX = frozenset("polar complex view_as_complex".split())
ORIGINS = ("constant", "empty", "data", "random", "complex")


def merge_origin(values: Sequence[Value]) -> str:
    """Return the strongest origin among the tensors of some values."""
    ranks = [ORIGINS.index(value.origin) for value in values if isinstance(value, Tensor)]
    return ORIGINS[max(ranks)] if ranks else "constant"


def is_module_class(path: str) -> bool:
    """Tell whether an absolute name is a module class of torch itself."""
    tail = path.rpartition(".")[2]
    return (
        path.startswith(MODULE_NAMESPACES)
        and tail.lstrip("_")[:1].isupper()
        and path not in NOT_MODULES
        and ".utils." not in path
    )


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
