"""Read single tensors of a distributed checkpoint, each of which is a torch archive inside of a file of shards."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Optional

from flake8_ckpt.runtime.inspector.budget import Budget
from flake8_ckpt.runtime.inspector.errors import CheckpointError
from flake8_ckpt.runtime.inspector.formats.archive import open_archive
from flake8_ckpt.runtime.inspector.formats.archive import root_of
from flake8_ckpt.runtime.inspector.formats.torch_zip import read_torch_zip
from flake8_ckpt.runtime.inspector.pickles.opening import open_region
from flake8_ckpt.runtime.inspector.pickles.rebuild import rebuilt
from flake8_ckpt.runtime.inspector.region import Region
from flake8_ckpt.runtime.inspector.values import Array
from flake8_ckpt.runtime.inspector.values import Call


@dataclass(frozen=True)
class Place:
    """Where a shard is: a file in the folder, and a part of it."""

    name: str
    offset: int
    length: int

    @property
    def is_inside(self) -> bool:
        """Tell whether the file is in the folder of the checkpoint."""
        parts = self.name.replace("\\", "/").split("/")
        return bool(parts[0]) and ".." not in parts and ":" not in parts[0] and "\0" not in self.name


@dataclass
class Shards:
    """The files of shards, opened when they are needed, until the stack closes them."""

    folder: Path
    stack: ExitStack
    files: dict[str, Region] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)

    def read(self, place: Place) -> Optional[Array]:
        """Return the tensor at a place, or None where there is something else or nothing."""
        if not place.is_inside:
            return None
        try:
            if place.name not in self.files:
                self.files[place.name] = open_region(self.folder / place.name, self.stack)
            archive = open_archive(self.files[place.name].part(place.offset, place.length), self.budget)
            root = root_of(archive)
            tree = read_torch_zip(archive, root).trees[0] if root is not None else None
        except CheckpointError:
            return None
        value = rebuilt(tree.root, tree.locate) if tree is not None and isinstance(tree.root, Call) else None
        return value if isinstance(value, Array) else None
