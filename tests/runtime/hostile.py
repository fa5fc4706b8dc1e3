"""Make files that are damaged, or that would do harm to whoever loads, unpacks or prints them.

Each maker writes one file into a folder and returns its path. Payloads, if they ran, would write `CANARY` there.
"""

from __future__ import annotations

import base64
import json
import os
import pickle
import re
import struct
import zipfile
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Maker = Callable[[Path], Path]
CANARY = "canary"
SIXTEEN = bytes(16)
GIGABYTE = 10**9
# In MiB: a little more than what the inspector calls a bomb.
BOMB = 110
ESCAPE = "\x1b[2J\x1b]0;owned\x07"
REBUILD = "torch._utils _rebuild_tensor_v2".split()


@dataclass(frozen=True)
class Case:
    """A file and what is to be said about it: a word of the refusal, or the kind and a word of a finding."""

    make: Maker
    word: str
    kind: str = ""

    @property
    def is_refused(self) -> bool:
        """Tell whether there is no report; a case without a word needs neither."""
        return bool(self.word) and not self.kind


class Harm:
    """What a pickle calls when it is loaded: `function(*arguments)`."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


def shell(folder: Path) -> str:
    return f"echo > '{folder / CANARY}'"


def text(value: str) -> bytes:
    """Return the opcodes that push a string."""
    data = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(data)) + data


def number(value: int) -> bytes:
    data = value.to_bytes(9, "little", signed=True)
    return b"\x8a\x09" + data


def sizes(values: Sequence[int]) -> bytes:
    return b"(" + b"".join(map(number, values)) + b"t"


def tensor(
    shape: Sequence[int], stride: Sequence[int], offset: int = 0, count: int = 4, key: str = "0"
) -> bytes:
    """Return the opcodes of a float32 tensor as `torch.save` writes it."""
    storage = (
        b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(key) + text("cpu") + number(count) + b"tQ"
    )
    head = f"c{REBUILD[0]}\n{REBUILD[1]}\n".encode() + b"("
    return head + storage + number(offset) + sizes(shape) + sizes(stride) + b"\x89}tR"


def mapping(**values: bytes) -> bytes:
    """Return a whole pickle of a dict."""
    return b"\x80\x02}(" + b"".join(text(key) + value for key, value in values.items()) + b"u."


def zipped(path: Path, members: Sequence[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, compression)
    return path


def torch_members(pickled: bytes, storage: bytes = SIXTEEN) -> list[tuple[str, bytes]]:
    return [("archive/data.pkl", pickled), ("archive/byteorder", b"little"), ("archive/data/0", storage)]


def torch_file(make: Callable[[Path], bytes]) -> Maker:
    """Return a maker of a torch archive around a pickle."""
    return lambda folder: zipped(folder / "model.pt", torch_members(make(folder)))


def plain(make: Callable[[Path], bytes], name: str = "model.pkl") -> Maker:
    def maker(folder: Path) -> Path:
        (folder / name).write_bytes(make(folder))
        return folder / name

    return maker


def fixed(data: bytes, name: str = "model.pkl") -> Maker:
    return plain(lambda folder: data, name)


def harm(protocol: int, function: Any, *arguments: Any) -> Callable[[Path], bytes]:
    """Return a pickle that calls a function with the shell command, and what comes after it."""
    return lambda folder: pickle.dumps(Harm(function, shell(folder), *arguments), protocol)


def evaluate(folder: Path) -> bytes:
    return pickle.dumps(Harm(eval, f"open({str(folder / CANARY)!r}, 'w')"), 2)


def nested_getattr(folder: Path) -> bytes:
    system = Harm(getattr, Harm(__import__, "os"), "system")
    call = pickle.dumps(system, 2)[2:-1]
    return b"\x80\x02" + call + b"(" + text(shell(folder)) + b"tR."


def computed_global(folder: Path) -> bytes:
    """Push the names from the memo, as no pickler does."""
    names = b"\x8c\x05posix\x94\x8c\x06system\x94h\x00h\x01\x93"
    return b"\x80\x04" + names + text(shell(folder)) + b"\x85R."


def unknown_name(folder: Path) -> bytes:
    """Name a global by a value that is itself the result of a call."""
    return (
        b"\x80\x04cbuiltins\nstr\n"
        + text("posix")
        + b"\x85R"
        + text("system")
        + b"\x93"
        + text("x")
        + b"\x85R."
    )


def dotted_name(folder: Path) -> bytes:
    return (
        b"\x80\x04"
        + text("torch")
        + text("serialization.os.system")
        + b"\x93"
        + text(shell(folder))
        + b"\x85R."
    )


def instance(folder: Path) -> bytes:
    return b"(" + text(shell(folder)) + b"ios\nsystem\n."


def made_object(folder: Path) -> bytes:
    return b"(cos\nsystem\n" + text(shell(folder)) + b"o."


def keyword_object(folder: Path) -> bytes:
    return b"\x80\x04csubprocess\nPopen\n" + text(shell(folder)) + b"\x85}" + text("shell") + b"\x88s\x92."


def state_setter(folder: Path) -> bytes:
    return b"\x80\x02cmypackage\nTrap\n)\x81}" + text("command") + text(shell(folder)) + b"sb."


def truncated_harm(folder: Path) -> bytes:
    """Stop in the middle, after the call."""
    return harm(0, os.system)(folder)[:-1]


def deep_list(folder: Path) -> bytes:
    return b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b"."


def deep_tuple(folder: Path) -> bytes:
    return b"\x80\x02)" + b"\x85" * 100_000 + b"."


def cyclic_list(folder: Path) -> bytes:
    return b"\x80\x02]q\x00(h\x00h\x00h\x00e."


def cyclic_dict(folder: Path) -> bytes:
    return b"\x80\x02}q\x00(" + text("self") + b"h\x00" + text("w") + tensor([2, 2], [2, 1]) + b"u."


def laughing(folder: Path) -> bytes:
    """Put ten times the same list into a list, thirty times over."""
    levels = b"".join(
        b"](" + b"h" + bytes([at]) * 1 + (b"h" + bytes([at])) * 9 + b"eq" + bytes([at + 1])
        for at in range(30)
    )
    return b"\x80\x02]q\x00" + levels + b"."


def many_values(code: bytes, head: bytes = b"\x80\x04") -> Maker:
    return lambda folder: _write_repeated(folder / "model.pkl", head, code, 12 * 2**20)


def _write_repeated(path: Path, head: bytes, code: bytes, size: int) -> Path:
    with path.open("wb") as file:
        file.write(head)
        for _ in range(size // 2**20):
            file.write(code * (2**20 // len(code)))
    return path


def sparse(head: bytes, size: int = 10 * GIGABYTE, name: str = "model.pt") -> Maker:
    """Return a maker of a file that is large and takes no room."""

    def maker(folder: Path) -> Path:
        with (folder / name).open("wb") as file:
            file.write(head)
            file.truncate(size)
        return folder / name

    return maker


def sparse_with_directory(folder: Path) -> Path:
    """Declare a directory of 4 GB that is there, as zeros."""
    path = sparse(b"PK\x03\x04", 5 * GIGABYTE)(folder)
    with path.open("ab") as file:
        file.write(b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, 4 * GIGABYTE, GIGABYTE, 0))
    return path


def zip_bomb(folder: Path) -> Path:
    """Compress a large pickle to a thousandth."""
    path = folder / "model.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("archive/data.pkl", "w") as member:
            member.write(b"\x80\x02")
            for _ in range(BOMB):
                member.write(b"N0" * 2**19)
    return path


def storage_bomb(folder: Path) -> Path:
    path = folder / "model.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", mapping(w=tensor([BOMB * 2**18], [1], count=BOMB * 2**18)))
        with archive.open("archive/data/0", "w") as member:
            for _ in range(BOMB):
                member.write(bytes(2**20))
    return path


def storages_of_zeros(folder: Path) -> Path:
    """Compress storages of which each alone is small enough to unpack."""
    count = 30 * 2**18
    tensors = {f"w{at}": tensor([count], [1], count=count, key=str(at)) for at in range(4)}
    members = [(f"archive/data/{at}", bytes(4 * count)) for at in range(4)]
    return zipped(
        folder / "model.pt", [("archive/data.pkl", mapping(**tensors)), *members], zipfile.ZIP_DEFLATED
    )


def sb3_of_many_values(folder: Path) -> Path:
    inner = zipped(folder / "inner", [("archive/data.pkl", b"\x80\x02](" + b"]" * 500_000 + b"e.")])
    return sb3({}, [(f"{at}.pth", inner.read_bytes()) for at in range(10)])(folder)


def behind_another(folder: Path) -> Path:
    """Append an archive to a pickle of the size of a header: readers take either."""
    path = zipped(folder / "model.pt", torch_members(GOOD))
    path.write_bytes(b"PK\x03\x04" + bytes(60) + path.read_bytes())
    return path


def sb3(data: dict[str, Any], members: Sequence[tuple[str, bytes]] = ()) -> Maker:
    def maker(folder: Path) -> Path:
        named = [("data", json.dumps(data).encode()), ("_stable_baselines3_version", b"2.9.2"), *members]
        return zipped(folder / "model.zip", named)

    return maker


def sb3_harm(folder: Path) -> Path:
    pickled = base64.b64encode(harm(4, os.system)(folder)).decode()
    return sb3({"lr_schedule": {":type:": "function", ":serialized:": pickled}})(folder)


def sb3_nested_bomb(folder: Path) -> Path:
    inner = zip_bomb(folder).read_bytes()
    return sb3({}, [("policy.pth", inner)])(folder)


def sb3_compressed_bomb(folder: Path) -> Path:
    path = folder / "model.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data", "{}")
        with archive.open("policy.pth", "w") as member:
            for _ in range(BOMB):
                member.write(bytes(2**20))
    return path


def sb3_deep(folder: Path) -> Path:
    pickled = base64.b64encode(deep_list(folder)).decode()
    return sb3({"policy_kwargs": {":serialized:": pickled}})(folder)


def renamed(name: str) -> Maker:
    """Return a maker of a torch archive with one more member."""
    return lambda folder: zipped(
        folder / "model.pt", [*torch_members(mapping(w=tensor([4], [1]))), (name, b"harm")]
    )


def twice(folder: Path) -> Path:
    """Write two pickles of one name: the first is harmless."""
    path = folder / "model.pt"
    members = torch_members(mapping(w=tensor([4], [1])))
    zipped(path, members + [("archive/data.pkX", harm(2, os.system)(folder))])
    path.write_bytes(path.read_bytes().replace(b"archive/data.pkX", b"archive/data.pkl"))
    return path


def patched(old: bytes, new: bytes, count: int = -1) -> Maker:
    """Return a maker of a torch archive in which some bytes are others."""

    def maker(folder: Path) -> Path:
        path = zipped(folder / "model.pt", torch_members(mapping(w=tensor([4], [1]))))
        data = path.read_bytes()
        assert old in data
        path.write_bytes(data.replace(old, new, count))
        return path

    return maker


def encrypted(folder: Path) -> Path:
    """Set the bit that says so on all members."""
    path = zipped(folder / "model.pt", torch_members(mapping(w=tensor([4], [1]))))
    data = bytearray(path.read_bytes())
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(signature)
        while at >= 0:
            data[at + place] |= 1
            at = data.find(signature, at + 4)
    path.write_bytes(bytes(data))
    return path


def lying_sizes(size: int) -> Maker:
    """Return a maker of an archive whose storage claims to be larger than the file, in the zip64 way."""

    def maker(folder: Path) -> Path:
        path = zipped(
            folder / "model.pt", torch_members(mapping(w=tensor([size // 4], [1], count=size // 4)))
        )
        data = bytearray(path.read_bytes())
        at = data.rfind(b"PK\x01\x02")
        extra = struct.pack("<HHQQ", 1, 16, size, size)
        struct.pack_into("<II", data, at + 20, 0xFFFFFFFF, 0xFFFFFFFF)
        struct.pack_into("<H", data, at + 30, len(extra))
        name_end = at + 46 + struct.unpack_from("<H", data, at + 28)[0]
        data[name_end:name_end] = extra
        end = data.rfind(b"PK\x05\x06")
        length = struct.unpack_from("<I", data, end + 12)[0]
        struct.pack_into("<I", data, end + 12, length + len(extra))
        path.write_bytes(bytes(data))
        return path

    return maker


def safetensors(header: Any, data: bytes = SIXTEEN) -> Maker:
    encoded = header if isinstance(header, bytes) else json.dumps(header).encode()
    return fixed(struct.pack("<Q", len(encoded)) + encoded + data, "model.safetensors")


def entry(shape: Any, begin: Any, end: Any, dtype: Any = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def npy(header: str, data: bytes = SIXTEEN, length: int | None = None) -> bytes:
    encoded = header.encode("latin-1")
    return (
        b"\x93NUMPY\x01\x00" + struct.pack("<H", len(encoded) if length is None else length) + encoded + data
    )


def npy_objects(folder: Path) -> bytes:
    head = npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}\n", b"")
    return head + harm(2, os.system)(folder)


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "model.pt")
    return folder / "model.pt"


def symlink_loop(folder: Path) -> Path:
    (folder / "model.pt").symlink_to(folder / "other.pt")
    (folder / "other.pt").symlink_to(folder / "model.pt")
    return folder / "model.pt"


def distributed(relative_path: str, offset: int = 0) -> Maker:
    """Return a maker of an index that names one shard."""

    def maker(folder: Path) -> Path:
        module = "ctorch.distributed.checkpoint.metadata\n"
        info = b"ctorch.distributed.checkpoint.filesystem\n_StorageInfo\n)\x81}("
        info += text("relative_path") + text(relative_path) + text("offset") + number(offset)
        info += text("length") + number(10) + b"ub"
        data = b"\x80\x02" + f"{module}Metadata\n".encode() + b")\x81}(" + text("state_dict_metadata") + b"}"
        data += text("storage_data") + b"}" + f"{module}MetadataIndex\n".encode() + b")\x81" + info + b"sub."
        (folder / "checkpoint").mkdir()
        (folder / "checkpoint" / ".metadata").write_bytes(data)
        return folder / "checkpoint"

    return maker


def distributed_harm(folder: Path) -> Path:
    (folder / "checkpoint").mkdir()
    (folder / "checkpoint" / ".metadata").write_bytes(harm(2, os.system)(folder))
    return folder / "checkpoint"


def folder_of_nothing(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


def legacy(
    main: bytes, keys: bytes = b"\x80\x02](" + b"X\x01\x00\x00\x000" + b"e.", rest: bytes | None = None
) -> Maker:
    """Return a maker of a legacy torch file."""
    storages = struct.pack("<q", 4) + bytes(16) if rest is None else rest
    magic = b"\x80\x02\x8a\x0a" + (0x1950A86A20F9469CFC6C).to_bytes(10, "little") + b"."
    return fixed(magic + b"\x80\x02M\xe9\x03." + b"\x80\x02}." + main + keys + storages, "model.pt")


def nan_keys(folder: Path) -> bytes:
    nan = b"G" + struct.pack(">d", float("nan"))
    return b"\x80\x02}(" + (nan + tensor([2], [1])) * 3 + b"u."


def surrogate_key(folder: Path) -> bytes:
    return b"\x80\x02}X\x03\x00\x00\x00\xed\xa0\x80" + tensor([2], [1]) + b"s."


def bad_text_key(folder: Path) -> bytes:
    return b"\x80\x02}X\x02\x00\x00\x00\xff\xfe" + tensor([2], [1]) + b"s."


def array_pickle(shape: bytes) -> bytes:
    head = b"\x80\x02cnumpy._core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01"
    dtype = b"cnumpy\ndtype\n" + text("f4") + b"\x89\x88\x87R(K\x03" + text("<") + b"NNNtb"
    return head + shape + dtype + b"\x89C\x08" + bytes(8) + b"tb."


def repeated(value: bytes, count: int = 40_000, name: bytes = b"K\x01") -> bytes:
    """Return a pickle of a list that has one value many times, each under a key of its own dict."""
    return b"\x80\x02" + value + b"q\x000](" + (b"}" + name + b"h\x00s") * count + b"e."


def numbers_many_times(folder: Path) -> bytes:
    return repeated(b"](" + b"K\x01" * 100_000 + b"e")


def long_keys_many_times(folder: Path) -> bytes:
    return repeated(tensor([2], [1]), name=text("k" * 400), count=60_000)


def texts_many_times(folder: Path) -> bytes:
    """Have one array many times, whose bytes are a text that is to be encoded."""
    encoded = b"c_codecs\nencode\n" + text("\u00ff" * 32_000) + text("latin1") + b"\x86R"
    dtype = b"cnumpy\ndtype\n" + text("u1") + b"\x89\x88\x87R(K\x03" + text("|") + b"NNNtb"
    head = b"cnumpy._core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01"
    return repeated(head + number(64_000) + b"\x85" + dtype + b"\x89" + encoded + b"tb")


def laughing_device(folder: Path) -> bytes:
    """Put where the name of the device should be what would fill the memory as text."""
    laugh = b")q\x01" + b"".join(
        b"0" + b"(" + (b"h" + bytes([at])) * 10 + b"tq" + bytes([at + 1]) for at in range(1, 30)
    )
    return b"\x80\x02" + laugh + b"0" + tensor([4], [1]).replace(text("cpu"), b"h\x1e") + b"."


def deep_device(folder: Path) -> bytes:
    deep = b")" + b"\x85" * 100_000 + b"q\x010"
    return b"\x80\x02" + deep + tensor([4], [1]).replace(text("cpu"), b"h\x01") + b"."


def deep_sparse(folder: Path) -> bytes:
    """Nest sparse tensors: each is the values of another."""
    head = b"ctorch._utils\n_rebuild_sparse_tensor\n" + text("torch.sparse_coo") + b"(N"
    return b"\x80\x02" + head * 20_000 + tensor([4], [1]) + (b"K\x01\x85t\x86R") * 20_000 + b"."


def huge_sizes(folder: Path) -> bytes:
    """Write sizes of 250 bytes each, whose product has more digits than Python prints."""
    size = b"\x8a\xfa" + b"\x7f" * 250
    return mapping(w=tensor([7, 7], [1, 1]).replace(number(7), size))


def many_globals(folder: Path) -> bytes:
    names = b"".join(b"cm%d\nx\n0" % at for at in range(50_000))
    return b"\x80\x02" + names + b"N."


def many_equal_members(folder: Path) -> Path:
    """Write 50,000 members, of which pairs have one name."""
    members = [(f"archive/{at:05}{'ab'[at % 2]}", b"") for at in range(50_000)]
    path = zipped(folder / "model.pt", torch_members(GOOD) + members)
    data = path.read_bytes()
    path.write_bytes(re.sub(rb"archive/(\d{4})\d[ab]", rb"archive/\g<1>00", data))
    return path


GOOD = mapping(w=tensor([2, 2], [2, 1]))
RUNS: dict[str, Case] = {
    "os.system in a plain pickle": Case(plain(harm(2, os.system)), "system", "unsafe"),
    "os.system in protocol 0": Case(plain(harm(0, os.system)), "system", "unsafe"),
    "os.system in protocol 5": Case(plain(harm(5, os.system)), "system", "unsafe"),
    "os.system in a torch archive": Case(torch_file(harm(2, os.system)), "system", "unsafe"),
    "eval in a torch archive": Case(torch_file(evaluate), ".eval", "unsafe"),
    "exec": Case(plain(harm(2, exec)), "builtin", "unsafe"),
    "getattr of an import": Case(plain(nested_getattr), "getattr", "unsafe"),
    "names from the memo": Case(plain(computed_global), "posix.system", "unsafe"),
    "name that is computed": Case(plain(unknown_name), "<computed>", "unsafe"),
    "dotted name below torch": Case(plain(dotted_name), "serialization.os.system", "unsafe"),
    "INST": Case(plain(instance), "os.system", "unsafe"),
    "OBJ": Case(plain(made_object), "os.system", "unsafe"),
    "NEWOBJ_EX": Case(plain(keyword_object), "subprocess.Popen", "unsafe"),
    "BUILD of a class of one's own": Case(plain(state_setter), "mypackage.Trap", "unsafe"),
    "EXT1": Case(fixed(b"\x80\x02\x82\x07."), "extension 7", "unsafe"),
    "EXT4": Case(fixed(b"\x80\x02\x84\x07\x00\x00\x7f."), "extension", "unsafe"),
    "harm before a truncation": Case(plain(truncated_harm), "system"),
    "harm in a base64 text of SB3": Case(sb3_harm, "system", "unsafe"),
    "harm in an array of objects": Case(plain(npy_objects, "a.npy"), "system", "unsafe"),
    "harm in the index of a distributed checkpoint": Case(distributed_harm, "system"),
    "harm in the second of two equal members": Case(twice, "data.pkl", "unsafe"),
    "harm in a legacy file": Case(legacy(b"\x80\x02cos\nsystem\nX\x01\x00\x00\x00x\x85R."), "os.system"),
    "harm in the system information": Case(
        fixed(
            b"\x80\x02\x8a\x0a"
            + (0x1950A86A20F9469CFC6C).to_bytes(10, "little")
            + b".\x80\x02M\xe9\x03.cos\nsystem\n"
        ),
        "os.system",
    ),
    "PERSID in a plain pickle": Case(fixed(b"Pharm\n."), "outside", "damaged"),
    "BINPERSID in a plain pickle": Case(fixed(b"\x80\x02K\x01Q."), "outside", "damaged"),
}
LARGE: dict[str, Case] = {
    "pickle that unpacks to 110 MB": Case(zip_bomb, "zip bomb"),
    "storage that unpacks to 110 MB": Case(storage_bomb, "zip bomb"),
    "zip bomb in an archive of SB3": Case(sb3_nested_bomb, "zip bomb"),
    "four compressed storages of 30 MB": Case(storages_of_zeros, "zip bomb"),
    "ten archives in one of SB3, each with many values": Case(sb3_of_many_values, "too many"),
    "archive behind another": Case(behind_another, "does not begin"),
    "compressed archive in one of SB3": Case(sb3_compressed_bomb, "zip bomb"),
    "10 GB of zeros": Case(sparse(b""), "neither"),
    "10 GB after a zip signature": Case(sparse(b"PK\x03\x04"), "directory"),
    "10 GB after PROTO": Case(sparse(b"\x80\x02"), "no pickle opcode"),
    "10 GB on one line": Case(sparse(b"\x80\x02S'"), "line"),
    "10 GB of text": Case(sparse(b"\x80\x04\x8d" + struct.pack("<Q", 9 * GIGABYTE)), "no pickle opcode"),
    "10 GB of bytes": Case(sparse(b"\x80\x04\x8e" + struct.pack("<Q", 9 * GIGABYTE)), "no pickle opcode"),
    "10 GB in a safetensors header": Case(sparse(struct.pack("<Q", 9 * GIGABYTE) + b"{"), "declares"),
    "90 MB in a safetensors header": Case(sparse(struct.pack("<Q", 90 * 10**6) + b"{"), "too large"),
    "directory of 4 GB": Case(sparse_with_directory, "directory"),
    "12 MB of empty lists": Case(many_values(b"]"), "too many"),
    "12 MB of empty dicts": Case(many_values(b"}"), "too many"),
    "12 MB of marks": Case(many_values(b"("), "too many"),
    "12 MB of calls": Case(many_values(b"N)R"), "too many"),
    "12 MB of memo entries": Case(many_values(b"]\x94"), "too many"),
    "12 MB of copies": Case(many_values(b"2", b"\x80\x04]"), "too many"),
    "12 MB of integers": Case(many_values(b"M\xff\xff"), "too many"),
    "12 MB of persistent references": Case(many_values(b"NQ"), "too many"),
    "12 MB of globals": Case(many_values(b"ca\nb\n"), "too many"),
    "numbers that are there 40,000 times": Case(torch_file(numbers_many_times), "not all of it", "damaged"),
    "array of text that is there 40,000 times": Case(plain(texts_many_times), ""),
    "long keys 60,000 times": Case(torch_file(long_keys_many_times), "not all of it", "damaged"),
    "device that is a laugh": Case(torch_file(laughing_device), ""),
    "device 100,000 deep": Case(torch_file(deep_device), ""),
    "sparse tensors in sparse tensors": Case(torch_file(deep_sparse), "does not write", "damaged"),
    "sizes of 2,000 bits": Case(torch_file(huge_sizes), "beyond 64 bits", "damaged"),
    "50,000 globals": Case(torch_file(many_globals), "more than 10,000 classes"),
    "50,000 members": Case(many_equal_members, "two members", "unsafe"),
    "lists of lists of one list": Case(plain(laughing), "not all of it", "damaged"),
    "BINUNICODE8 beyond the end": Case(fixed(b"\x80\x04\x8d" + struct.pack("<Q", 2**62)), "declares"),
    "BINBYTES8 of 2**63 bytes": Case(fixed(b"\x80\x04\x8e" + struct.pack("<Q", 2**63)), "declares"),
    "LONG4 beyond the end": Case(fixed(b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1)), "declares"),
    "LONG4 of a negative length": Case(fixed(b"\x80\x02\x8b" + struct.pack("<i", -1)), "declares"),
    "LONG of many digits": Case(fixed(b"L" + b"9" * 10_000 + b"L\n."), "neither"),
    "safetensors header of lists": Case(safetensors(b'{"a":[' + b"[]," * 2_000_000 + b"[]]}"), "too many"),
}
SHAPES: dict[str, Case] = {
    "negative size": Case(torch_file(lambda _: mapping(w=tensor([-4], [1]))), "negative", "damaged"),
    "negative stride": Case(torch_file(lambda _: mapping(w=tensor([4], [-1]))), "negative", "damaged"),
    "negative offset": Case(torch_file(lambda _: mapping(w=tensor([4], [1], -1))), "negative", "damaged"),
    "offset outside of the storage": Case(
        torch_file(lambda _: mapping(w=tensor([4], [1], 1))), "outside of its storage", "damaged"
    ),
    "stride outside of the storage": Case(
        torch_file(lambda _: mapping(w=tensor([2, 2], [100, 1]))), "outside of its storage", "damaged"
    ),
    "size beyond 64 bits": Case(
        torch_file(lambda _: mapping(w=tensor([2**62, 2**62], [0, 0]))), "beyond 64 bits", "damaged"
    ),
    "stride of another length": Case(
        torch_file(lambda _: mapping(w=tensor([2, 2], [1]))), "does not fit", "damaged"
    ),
    "thousand dimensions": Case(
        torch_file(lambda _: mapping(w=tensor([1] * 1000, [1] * 1000))), "does not write", "damaged"
    ),
    "storage of another length": Case(
        torch_file(lambda _: mapping(w=tensor([4], [1], count=2**40))), "16 bytes instead of", "damaged"
    ),
    "storage that is not there": Case(
        torch_file(lambda _: mapping(w=tensor([4], [1], key="../../etc/passwd"))),
        "not in the file",
        "damaged",
    ),
    "arguments of a tensor are a number": Case(
        torch_file(lambda _: mapping(w=b"ctorch._utils\n_rebuild_tensor_v2\nK\x01R")),
        "does not write",
        "damaged",
    ),
    "negative shape in a pickled array": Case(
        fixed(array_pickle(b"J\xff\xff\xff\xff\x85")), "negative", "damaged"
    ),
    "pickled array larger than its bytes": Case(fixed(array_pickle(b"M\xff\xff\x85")), "outside", "damaged"),
    "safetensors: negative shape": Case(safetensors({"w": entry([-4], 0, 16)}), "negative", "damaged"),
    "safetensors: shape that does not fit": Case(
        safetensors({"w": entry([5], 0, 16)}), "does not fit", "damaged"
    ),
    "safetensors: offsets outside": Case(
        safetensors({"w": entry([4], 8, 24)}), "outside of the file", "damaged"
    ),
    "safetensors: offsets backwards": Case(
        safetensors({"w": entry([4], 16, 0)}), "outside of the file", "damaged"
    ),
    "safetensors: overlap": Case(
        safetensors({"v": entry([4], 0, 16), "w": entry([2], 8, 16)}), "overlap", "damaged"
    ),
    "safetensors: key twice": Case(
        safetensors(
            b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},'
            b'"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}'
        ),
        "two tensors",
        "damaged",
    ),
    "safetensors: shape of texts": Case(
        safetensors({"w": entry(["4"], 0, 16)}), "without a dtype", "damaged"
    ),
    "safetensors: entry is a number": Case(safetensors({"w": 3}), "without a dtype", "damaged"),
    "npy: negative shape": Case(
        fixed(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-4,)}"), "a.npy"), "negative", "damaged"
    ),
    "npy: shape larger than the file": Case(
        fixed(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (99999,)}"), "a.npy"),
        "outside",
        "damaged",
    ),
    "legacy: negative storage": Case(legacy(GOOD, rest=struct.pack("<q", -4) + bytes(16)), "damaged"),
    "legacy: storage of 8 GB": Case(legacy(GOOD, rest=struct.pack("<q", 2**31) + bytes(16)), "truncated"),
    "legacy: keys are no texts": Case(legacy(GOOD, keys=b"\x80\x02](K\x01e."), "no list of storages"),
}
SHELLS: dict[str, Case] = {
    "empty file": Case(fixed(b""), "empty"),
    "empty archive": Case(lambda folder: zipped(folder / "model.pt", []), "but not of torch"),
    "archive of something else": Case(
        lambda folder: zipped(folder / "a.zip", [("a.txt", b"a")]), "but not of torch"
    ),
    "text": Case(fixed(b"import os\nos.system('ls')\n"), "neither"),
    "wrong magic": Case(patched(b"PK\x03\x04", b"PX\x03\x04"), "neither"),
    "random bytes": Case(fixed(bytes(range(256)) * 4), "neither"),
    "folder": Case(folder_of_nothing, "folder"),
    "pipe": Case(pipe, "not a regular file"),
    "device": Case(lambda folder: Path("/dev/zero"), "not a regular file"),
    "loop of links": Case(symlink_loop, "symbolic links"),
    "file that is not there": Case(lambda folder: folder / "none.pt", "No such file"),
    "name with a null byte": Case(lambda folder: folder / "a\0b.pt", "null"),
    "encrypted members": Case(encrypted, "encrypted"),
    "member that leaves the folder": Case(renamed("../../evil.py"), "outside of its folder", "unsafe"),
    "member with an absolute name": Case(renamed("/tmp/evil.py"), "outside of its folder", "unsafe"),
    "member with a name of Windows": Case(renamed("C:\\evil.py"), "outside of its folder", "unsafe"),
    "two sizes of one member": Case(lying_sizes(2**40), "damaged"),
    "local header that is none": Case(patched(b"PK\x03\x04", b"PK\x03\x05", 2), "neither"),
    "unknown compression": Case(
        patched(b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x63\x00"),
        "damaged",
    ),
    "byte order that is none": Case(patched(b"little", b"LITTLE"), "byte order"),
    "shard that leaves the folder": Case(distributed("../../etc/passwd"), "outside of the folder", "unsafe"),
    "shard that is not there": Case(distributed("__0_0.distcp"), "missing", "damaged"),
    "shard at a negative place": Case(distributed("__0_0.distcp", -4), "does not write", "damaged"),
    "SB3: data is no JSON": Case(
        lambda folder: zipped(folder / "a.zip", [("data", b"{"), ("policy.pth", b"")]), "JSON"
    ),
    "SB3: data is a list": Case(sb3([]), "no JSON object"),  # type: ignore[arg-type]
    "SB3: no base64": Case(sb3({"a": {":serialized:": "\u00e9"}}), "base64"),
    "SB3: base64 of a number": Case(sb3({"a": {":serialized:": 3}}), "base64"),
    "SB3: policy is no archive": Case(sb3({}, [("policy.pth", b"harm")]), "policy.pth"),
    "SB3: deep lists in base64": Case(sb3_deep, "hint", "missing-normalizer"),
    "JSON of 200,000 brackets": Case(safetensors(b'{"a":' + b"[" * 200_000), "deeply"),
    "JSON that is not UTF-8": Case(safetensors(b'{"\xff\xfe":1}'), "UTF-8"),
    "safetensors header that is no JSON": Case(safetensors(b"{harm"), "JSON"),
    "npy header of brackets": Case(fixed(npy("(" * 9000), "a.npy"), "header"),
    "npy header that calls": Case(fixed(npy("__import__('os').system('x')"), "a.npy"), "header"),
    "npy header without a shape": Case(fixed(npy("{'descr': '<f4'}"), "a.npy"), "shape"),
    "npy header of another length": Case(fixed(npy("{}", length=65535), "a.npy"), "too large"),
    "lists 100,000 deep": Case(plain(deep_list), "not all of it", "damaged"),
    "tuples 100,000 deep": Case(plain(deep_tuple), "not all of it", "damaged"),
    "list in itself": Case(plain(cyclic_list), ""),
    "dict in itself": Case(torch_file(cyclic_dict), ""),
    "keys that are NaN": Case(torch_file(nan_keys), ""),
    "keys of half characters": Case(torch_file(surrogate_key), ""),
    "keys that are no UTF-8": Case(torch_file(bad_text_key), "damaged"),
    "escapes in a key": Case(
        torch_file(lambda _: mapping(**{ESCAPE: tensor([-1], [1])})), "negative", "damaged"
    ),
    "escapes in a global": Case(
        fixed(b"\x80\x04" + text(ESCAPE) + text(ESCAPE) + b"\x93."), "\x1b", "unsafe"
    ),
    "escapes in a member": Case(renamed(f"../{ESCAPE}"), "outside", "unsafe"),
    "stack that is empty": Case(fixed(b"\x80\x02."), "stack"),
    "mark that is missing": Case(fixed(b"\x80\x02t."), "stack"),
    "memo that is empty": Case(fixed(b"\x80\x02h\x07."), "stack"),
    "items of a number": Case(fixed(b"\x80\x02K\x01K\x01K\x01s."), "stack"),
    "elements of None": Case(fixed(b"\x80\x02NK\x01a."), "stack"),
}
CASES = {**RUNS, **LARGE, **SHAPES, **SHELLS}
