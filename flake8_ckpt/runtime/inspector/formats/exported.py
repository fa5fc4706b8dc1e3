"""Read a `.pt2` archive, which `torch.export.save` writes: weights as plain bytes, described in JSON."""

from __future__ import annotations

from typing import Any
from typing import Optional

from flake8_ckpt.runtime.inspector.content import Content
from flake8_ckpt.runtime.inspector.content import Tree
from flake8_ckpt.runtime.inspector.errors import CheckpointError
from flake8_ckpt.runtime.inspector.formats.archive import Archive
from flake8_ckpt.runtime.inspector.formats.archive import describe_members
from flake8_ckpt.runtime.inspector.json_text import load_json
from flake8_ckpt.runtime.inspector.pickles.rebuild import problem_of
from flake8_ckpt.runtime.inspector.pickles.rebuild import with_problem
from flake8_ckpt.runtime.inspector.report import Finding
from flake8_ckpt.runtime.inspector.values import Array
from flake8_ckpt.runtime.inspector.values import Mapping
from flake8_ckpt.runtime.inspector.values import text_of

FORMAT = "archive_format"
PROGRAM = "serialized_exported_program.json"
NATIVE = (".so", ".dll", ".dylib", ".pyd")
CONFIGS = {"data/weights/": "_weights_config.json", "data/constants/": "_constants_config.json"}
# The numbers of `torch._export.serde.schema.ScalarType`.
DTYPES = dict(
    enumerate(
        "uint8 int8 int16 int32 int64 float16 float32 float64 complex32 complex64 complex128 bool bfloat16".split(),
        start=1,
    )
) | dict(
    enumerate(
        "uint16 float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz float8_e8m0fnu uint32 uint64".split(),
        start=28,
    )
)
NOTE = "holds an exported program, which runs when it is called"


def root_of_export(archive: Archive) -> Optional[str]:
    """Return the folder of an exported program with its slash, or None where the archive is none."""
    for name in archive.members:
        folder, _, file = name.rpartition("/")
        if file == PROGRAM or (file == FORMAT and archive.head(name, 8).strip() == b"pt2"):
            return f"{folder}/" if folder else ""
    return None


def read_exported(archive: Archive, root: str) -> Content:
    """Return the weights and constants; those of an older export lie in torch archives inside of this one."""
    items = [item for folder, suffix in CONFIGS.items() for item in _weights(archive, root + folder, suffix)]
    covered = tuple(f"{root}{folder}" for folder in CONFIGS)
    findings = (*describe_members(archive), *_native(archive))
    trees = (Tree(Mapping([*items])),) if items else ()
    return Content("torch export (pt2)", trees, findings, (NOTE,), covered)


def _native(archive: Archive) -> tuple[Finding, ...]:
    """Return the members that are compiled programs, which loading the package would run."""
    names = [name for name in archive.members if name.endswith(NATIVE)]
    return tuple(
        Finding(
            "unsafe",
            f"member {name} is a compiled program, which can run code when it is loaded",
            name,
            "command",
        )
        for name in names
    )


def _weights(archive: Archive, folder: str, suffix: str) -> list[tuple[str, Array]]:
    found = []
    for name in archive.members:
        if name.startswith(folder) and name.endswith(suffix):
            config = load_json(archive.region_of_member(name), name)
            entries = _field(config, "config")
            if not isinstance(entries, Mapping):
                raise CheckpointError(f"member {name} describes no weights")
            found += [(text_of(key), _array(archive, folder, value)) for key, value in entries.items]
    return found


def _field(value: Any, name: str) -> Any:
    return dict(value.items).get(name) if isinstance(value, Mapping) else None


def _array(archive: Archive, folder: str, value: Any) -> Array:
    """Describe one tensor; what its entry does not give is damage of this tensor alone."""
    meta = _field(value, "tensor_meta")
    if meta is None:
        return Array("object", (), layout="pickle")
    try:
        sizes, strides = (
            tuple(_number(each) for each in _field(meta, name)) for name in ("sizes", "strides")
        )
        offset = _number(_field(meta, "storage_offset"))
        dtype = DTYPES.get(_field(meta, "dtype"), "unknown")
    except (TypeError, ValueError):
        return Array("unknown", (), problem="an entry of the archive that torch does not write")
    name = f"{folder}{text_of(_field(value, 'path_name'))}"
    is_plain = name in archive.members and not _field(value, "use_pickle")
    data = archive.region_of_member(name) if is_plain else None
    array = Array(dtype, sizes, strides, offset, data, name)
    return with_problem(array, problem_of(array))


def _number(value: Any) -> int:
    number = _field(value, "as_int")
    if type(number) is not int or number < 0 or number.bit_length() > 63:
        raise ValueError("no size")
    return number
