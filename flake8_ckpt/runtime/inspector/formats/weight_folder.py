"""Read a folder of weights as Hugging Face libraries write it: one file of weights, or an index of several."""

from __future__ import annotations

import os
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from flake8_ckpt.runtime.inspector.content import Content
from flake8_ckpt.runtime.inspector.errors import CheckpointError
from flake8_ckpt.runtime.inspector.flatten import flatten
from flake8_ckpt.runtime.inspector.formats.shards import Place
from flake8_ckpt.runtime.inspector.json_text import load_json
from flake8_ckpt.runtime.inspector.pickles.opening import open_region
from flake8_ckpt.runtime.inspector.region import Region
from flake8_ckpt.runtime.inspector.report import Finding
from flake8_ckpt.runtime.inspector.values import Mapping
from flake8_ckpt.runtime.inspector.values import text_of

Read = Callable[[Region, Path], Content]
INDEX, MAP = ".index.json", "weight_map"
WEIGHTS = (".safetensors", ".bin")
OTHERS = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".npz", ".zip", ".safetensors")
MOST_NAMES = 5
MOST_SHARDS = 1000
MOST_STRAY = 100


@dataclass(frozen=True)
class Files:
    """Where the files of an index are, how each is read, and who closes them."""

    folder: Path
    stack: ExitStack
    read: Read


def weights_of(names: list[str]) -> str:
    """Return the file of a folder that holds its weights or their index, those of safetensors first; "" without."""
    for suffix in WEIGHTS:
        indexes = sorted(name for name in names if name.endswith(f"{suffix}{INDEX}"))
        plain = sorted(name for name in names if name.endswith(suffix) and "model" in name)
        if indexes or len(plain) == 1:
            return (indexes or plain)[0]
    return ""


def others_of(names: list[str], taken: str) -> tuple[str, ...]:
    """Return a note on the files of a folder that were not looked into."""
    shards = taken.removesuffix(INDEX).rpartition(".")[0] if taken.endswith(INDEX) else taken
    rest = sorted(name for name in names if name.endswith(OTHERS) and not name.startswith(shards))
    more = f" and {len(rest) - MOST_NAMES} more" if rest[MOST_NAMES:] else ""
    return (f"also in the folder, not looked into: {', '.join(rest[:MOST_NAMES])}{more}",) if rest else ()


def read_index(index: Region, files: Files) -> Content:
    """Return the tensors of all shards, and where the index and the shards disagree."""
    header = load_json(index, "the index")
    wanted = dict(header.items).get(MAP) if isinstance(header, Mapping) else None
    if not isinstance(wanted, Mapping):
        raise CheckpointError(f"JSON without a {MAP!r}, so no index of weights")
    places = {text_of(key): text_of(name) for key, name in wanted.items}
    shards = list(dict.fromkeys(places.values()))
    if len(shards) > MOST_SHARDS:
        raise CheckpointError(f"the index names {len(shards):,} files, which is too many to look into")
    contents = {name: _shard(name, files) for name in shards}
    findings = [finding for each in contents.values() for finding in each.findings]
    findings += _strays(contents, places)
    trees = tuple(tree for each in contents.values() for tree in each.trees)
    notes = (f"an index of {len(shards)} file{'s' if len(shards) != 1 else ''}",)
    return Content("sharded weights", trees, tuple(findings), notes)


def _shard(name: str, files: Files) -> Content:
    """Return what a shard holds; one that cannot be read is a finding."""
    if not Place(name, 0, 0).is_inside:
        return Content("", (), (Finding("unsafe", f"shard {name} is outside of the folder", name),))
    if not os.path.lexists(files.folder / name):
        return Content("", (), (Finding("damaged", f"shard {name} is missing", name),))
    try:
        return files.read(open_region(files.folder / name, files.stack), files.folder / name)
    except CheckpointError as error:
        return Content("", (), (Finding("damaged", f"shard {name}: {error}", name),))


def _strays(contents: dict[str, Content], places: dict[str, str]) -> Iterator[Finding]:
    """Yield keys that are not where the index says, or that it does not name."""
    for name, content in contents.items():
        if not content.trees:
            continue
        there = {leaf.key for tree in content.trees for leaf in flatten(tree).leaves}
        promised = {key for key, place in places.items() if place == name}
        for key in sorted(promised - there)[:MOST_STRAY]:
            yield Finding("damaged", f"the index says that it is in {name}, and it is not", key)
        for key in sorted(there - promised)[:MOST_STRAY]:
            yield Finding("damaged", f"it is in {name}, and the index does not say so", key)
