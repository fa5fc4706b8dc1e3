"""Which classes and functions a checkpoint may name: those that build data and nothing else.

The list is that of `torch.load(weights_only=True)`, with the plain containers of Python and what rebuilds numpy
arrays. Names are compared whole, so that `torch` `serialization.os.system` is none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from flake8_ckpt.runtime.inspector.pickles.machine import GlobalUse

STORAGES = {
    "FloatStorage": "float32",
    "DoubleStorage": "float64",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
    "QUInt8Storage": "quint8",
    "QInt8Storage": "qint8",
    "QInt32Storage": "qint32",
    "QUInt4x2Storage": "quint4x2",
    "QUInt2x4Storage": "quint2x4",
    "UntypedStorage": "uint8",
}
# Bytes of one element; those of less than a byte are counted by torch as a byte too.
SIZES = {
    **dict.fromkeys(["float64", "int64", "uint64", "complex64"], 8),
    **dict.fromkeys(["float32", "int32", "uint32", "qint32"], 4),
    **dict.fromkeys(["float16", "bfloat16", "int16", "uint16"], 2),
    **dict.fromkeys(["int8", "uint8", "bool", "qint8", "quint8", "quint4x2", "quint2x4"], 1),
    **dict.fromkeys(["float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"], 1),
    **dict.fromkeys(["float8_e8m0fnu", "float4_e2m1fn_x2"], 1),
    **dict.fromkeys((f"{sign}int{bits}" for sign in ("", "u") for bits in range(1, 8)), 1),
    "complex32": 4,
    "complex128": 16,
}
REBUILDERS = (
    "_rebuild_tensor",
    "_rebuild_tensor_v2",
    "_rebuild_tensor_v3",
    "_rebuild_parameter",
    "_rebuild_parameter_with_state",
    "_rebuild_qtensor",
    "_rebuild_sparse_tensor",
    "_rebuild_meta_tensor_no_storage",
    "_rebuild_nested_tensor",
    "_rebuild_wrapper_subclass",
    "_rebuild_device_tensor_from_numpy",
    "_rebuild_device_tensor_from_cpu_tensor",
)
QUANTIZED = ("per_tensor_affine", "per_tensor_symmetric", "per_channel_affine", "per_channel_symmetric")
PLAIN = (
    "bool bytearray bytes complex dict float frozenset int list long object range set slice str tuple xrange"
)
SAFE = frozenset(
    [
        *(f"torch._utils.{name}" for name in REBUILDERS),
        *(f"torch.{name}" for name in (*STORAGES, *SIZES, *QUANTIZED, "per_channel_affine_float_qparams")),
        *(f"torch.storage.{name}" for name in (*STORAGES, "TypedStorage")),
        *(f"torch.{name}" for name in ("Size", "device", "Tensor", "cfloat", "cdouble", "chalf")),
        *(f"torch.{name.removesuffix('Storage')}Tensor" for name in STORAGES),
        "torch.nn.parameter.Parameter",
        "torch.nn.parameter.Buffer",
        "torch.serialization._get_layout",
        "torch._tensor._rebuild_from_type_v2",
        "collections.OrderedDict",
        "collections.Counter",
        "collections.defaultdict",
        "collections.deque",
        "datetime.datetime",
        "datetime.timedelta",
        "pathlib.Path",
        "pathlib.PosixPath",
        "pathlib.PurePath",
        "pathlib.PurePosixPath",
        "pathlib.WindowsPath",
        "_codecs.encode",
        "copyreg._reconstructor",
        "copy_reg._reconstructor",
        *(f"{module}.{name}" for module in ("builtins", "__builtin__") for name in PLAIN.split()),
        *(
            f"numpy.{core}.multiarray.{name}"
            for core in ("core", "_core")
            for name in ("_reconstruct", "scalar")
        ),
        *(f"numpy.{core}.numeric._frombuffer" for core in ("core", "_core")),
        "numpy.dtype",
        "numpy.ndarray",
        *(
            f"numpy.dtypes.{kind}DType"
            for kind in ("Float16", "Float32", "Float64", "Int32", "Int64", "Bool")
        ),
    ]
)
# What the index of a distributed checkpoint is made of; torch reads it with the plain unpickler.
DISTRIBUTED = frozenset(
    [
        *(
            f"torch.distributed.checkpoint.metadata.{name}"
            for name in (
                "Metadata",
                "TensorStorageMetadata",
                "BytesStorageMetadata",
                "ChunkStorageMetadata",
                "TensorProperties",
                "MetadataIndex",
                "StorageMeta",
                "_MEM_FORMAT_ENCODING",
            )
        ),
        "torch.distributed.checkpoint.filesystem._StorageInfo",
        "torch.distributed._shard.sharded_tensor.metadata.TensorProperties",
        "torch.distributed._shard.sharded_tensor.metadata.MEM_FORMAT_ENCODING",
    ]
)
# Modules that are named in a checkpoint for nothing else than to run something.
COMMANDS = frozenset(
    "os posix nt subprocess sys importlib runpy shutil socket ctypes pickle _pickle cloudpickle dill code pty"
    " types operator functools webbrowser platform timeit cProfile pdb bdb asyncio multiprocessing threading"
    " urllib http requests copyreg marshal codecs builtins __builtin__ torch.hub torch.serialization io".split()
)

# What a global does when it is loaded: runs commands, imports an unknown module, imports a known library.
Level = Literal["command", "unknown", "library"]
# Libraries whose classes stand in the files of honest programs. Their functions are not trusted: numpy alone has
# several that run a text.
LIBRARIES = frozenset(
    "torch numpy gymnasium gym stable_baselines3 sb3_contrib tensordict torchrl torchmetrics transformers"
    " tokenizers peft accelerate lightning lightning_fabric pytorch_lightning sklearn scipy pandas omegaconf"
    " pathlib datetime decimal fractions uuid enum typing".split()
)
# Parts of them whose classes open connections, start processes or compile.
LAUNCHERS = frozenset(
    "testing hub cpp_extension f2py distutils distributed multiprocessing _inductor _dynamo fx jit package ctypeslib"
    " tensorboard data".split()
)
# Their functions that rebuild a value: a generator of random numbers, an array, a parameter.
REBUILDING = frozenset(
    [
        "numpy.random._pickle.__generator_ctor",
        "numpy.random._pickle.__bit_generator_ctor",
        "numpy.random._pickle.__randomstate_ctor",
        "numpy.random.bit_generator.__pyx_unpickle_SeedSequence",
        "argparse.Namespace",
    ]
)


def level_of(use: GlobalUse) -> Level:
    """Return how dangerous it is to load a global that is not in `SAFE`."""
    if is_command(use) or "<computed>" in (use.module, use.name):
        return "command"
    parts = use.module.split(".")
    is_class = all(part.lstrip("_")[:1].isupper() for part in use.name.split("."))
    is_known = parts[0] in LIBRARIES and is_class and LAUNCHERS.isdisjoint(parts)
    return "library" if is_known or use.path in REBUILDING else "unknown"


def unsafe_of(uses: Sequence[GlobalUse], allowed: frozenset[str] = SAFE) -> list[GlobalUse]:
    """Return the globals that are not known to be harmless."""
    return [use for use in uses if use.path not in allowed]


def is_command(use: GlobalUse) -> bool:
    """Tell whether a global is there to run something, other than a class of the user's own."""
    return use.module in COMMANDS or use.module.partition(".")[0] in COMMANDS
