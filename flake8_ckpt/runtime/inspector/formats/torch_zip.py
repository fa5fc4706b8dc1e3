"""Read what `torch.save` and `torch.jit.save` write: a zip archive of one pickle and its storages."""

from __future__ import annotations

from typing import Optional

from flake8_ckpt.runtime.inspector.content import Content
from flake8_ckpt.runtime.inspector.content import Tree
from flake8_ckpt.runtime.inspector.content import describe_unsafe
from flake8_ckpt.runtime.inspector.content import walk_member
from flake8_ckpt.runtime.inspector.errors import CheckpointError
from flake8_ckpt.runtime.inspector.formats.archive import Archive
from flake8_ckpt.runtime.inspector.formats.archive import describe_members
from flake8_ckpt.runtime.inspector.pickles.machine import GlobalUse
from flake8_ckpt.runtime.inspector.region import Region

# TorchScript has an unpickler of its own, which makes these itself and imports nothing.
SCRIPT_MODULES = ("__torch__", "torch.jit._pickle")

# Storages, pickles, and what TorchScript keeps beside them, which its own unpickler reads.
READ = ("data/", "data.pkl", "constants/", "constants.pkl", "code/", "traced_inputs")


def read_torch_zip(archive: Archive, root: str, prefix: tuple[str, ...] = ()) -> Content:
    """Return the pickle of an archive, whose folder ends with a slash or is empty."""
    is_script = f"{root}constants.pkl" in archive.members
    name = f"{root}data.pkl"
    walked = walk_member(archive.region_of_member(name), name, budget=archive.budget)
    uses = tuple(use for use in walked.globals if not (is_script and _is_scripted(use)))
    order = _byte_order(archive, root)
    tree = Tree(walked.value, _Storages(archive, root), prefix, order == b"big")
    notes = (_script_note(archive, root),) if is_script else ()
    findings = (*describe_members(archive), *describe_unsafe(uses, name))
    covered = tuple(f"{root}{name}" for name in READ)
    return Content("TorchScript" if is_script else "torch zip", (tree,), findings, notes, covered)


def _is_scripted(use: GlobalUse) -> bool:
    return any(use.module == module or use.module.startswith(f"{module}.") for module in SCRIPT_MODULES)


def _byte_order(archive: Archive, root: str) -> bytes:
    name = f"{root}byteorder"
    order = archive.head(name, 16) if name in archive.members else b"little"
    if order not in (b"little", b"big"):
        raise CheckpointError(f"member {name} names no byte order: {order!r}")
    return order


def _script_note(archive: Archive, root: str) -> str:
    files = sum(name.startswith(f"{root}code/") and name.endswith(".py") for name in archive.members)
    return f"holds a program in {files} file{'s' if files != 1 else ''} (code/), which runs when the module is called"


class _Storages:
    """Find the storages of an archive; each is a member."""

    def __init__(self, archive: Archive, root: str) -> None:
        self.archive = archive
        self.root = root
        self.known: dict[str, Optional[Region]] = {}

    def __call__(self, key: str) -> Optional[Region]:
        if key not in self.known:
            name = f"{self.root}data/{key}"
            self.known[key] = self.archive.region_of_member(name) if name in self.archive.members else None
        return self.known[key]
