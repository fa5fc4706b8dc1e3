"""Which calls of torch and numpy give tensors, arrays and modules, and which change them in place."""

from __future__ import annotations

import re

from flake8_ckpt.frameworks.known import DEFAULT

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
DTYPES = frozenset(
    f"torch.{name}"
    for name in "bfloat16 bool cdouble cfloat complex64 complex128 double float float16 float32 float64 half int"
    " int8 int16 int32 int64 long short uint8".split()
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
# Methods of a tensor that look at its shape or type, not at what it holds.
SHAPE_METHODS = frozenset(
    "size dim numel ndimension new_zeros new_ones new_empty new_full new_tensor is_floating_point".split()
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
PICKLERS = frozenset(["torch.save", "pickle.dump", "cloudpickle.dump", "dill.dump", "joblib.dump"])
MODULE_METHODS = frozenset(
    "to cuda cpu eval train half float double requires_grad_ apply bfloat16 compile".split()
)
# Functions that give back, made faster, the module or the function they are given.
COMPILERS = frozenset("torch.compile torch.jit.script torch.jit.optimize_for_inference".split())
# Functions that change a module and give it back.
REPARAMETRIZERS = re.compile(
    r"^torch\.nn\.utils\.(parametrizations\.|parametrize\.|prune\.)?"
    r"(remove_)?(weight_norm|spectral_norm|orthogonal|register_parametrization|\w*_(un)?structured|identity)$"
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
# Modules of torch without parameters and buffers, by the end of their names.
STATELESS = re.compile(
    r"\.(\w*ReLU\d?|(Log)?Sigmoid|Tanh|\w*ELU|Mish|Hardswish|Hardtanh|Hardsigmoid|Soft\w+|LogSoftmax|Dropout\w*"
    r"|AlphaDropout|Identity|Flatten|Unflatten|\w*Loss|\w*Pool\dd|Upsample\w*"
    r"|Pixel\w+|\w*Pad\dd|Fold|Unfold|GLU|SiLU|Threshold"
    r"|CosineSimilarity)$"
)
# Classes of torch whose objects have state of their own but are no modules.
OBJECTS = ("torch.optim.", "torch.amp.", "torch.cuda.amp.")
RANDOM_STATES = DEFAULT.random_states
COMPLEX = frozenset("polar complex view_as_complex".split())


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
