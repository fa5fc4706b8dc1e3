"""Read what Stable-Baselines3 saves: JSON with pickles in base64, and torch archives inside of the archive."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flake8_ckpt.runtime.inspector.content import Content
from flake8_ckpt.runtime.inspector.content import Tree
from flake8_ckpt.runtime.inspector.content import describe_unsafe
from flake8_ckpt.runtime.inspector.content import walk_member
from flake8_ckpt.runtime.inspector.errors import CheckpointError
from flake8_ckpt.runtime.inspector.formats.archive import Archive
from flake8_ckpt.runtime.inspector.formats.archive import describe_members
from flake8_ckpt.runtime.inspector.formats.archive import open_archive
from flake8_ckpt.runtime.inspector.formats.archive import root_of
from flake8_ckpt.runtime.inspector.formats.torch_zip import read_torch_zip
from flake8_ckpt.runtime.inspector.json_text import load_json
from flake8_ckpt.runtime.inspector.region import Region
from flake8_ckpt.runtime.inspector.region import region_of
from flake8_ckpt.runtime.inspector.report import Finding
from flake8_ckpt.runtime.inspector.values import Mapping
from flake8_ckpt.runtime.inspector.values import text_of

VERSION, DATA, SUFFIX, SERIALIZED = "_stable_baselines3_version", "data", ".pth", ":serialized:"
# SB3 keeps the last observation before normalization only where the environment was a VecNormalize; algorithms
# with a replay buffer keep it in any case.
ORIGINAL, OFF_POLICY = "_last_original_obs", "replay_buffer_class"


def is_sb3(archive: Archive) -> bool:
    """Tell whether an archive is one of Stable-Baselines3."""
    names = archive.members
    return VERSION in names or (DATA in names and any(name.endswith(SUFFIX) for name in names))


def read_sb3(archive: Archive, path: Path) -> Content:
    """Return the attributes and the parameters of a model; its pickles are walked, never loaded."""
    data = load_json(archive.region_of_member(DATA), DATA) if DATA in archive.members else Mapping()
    if not isinstance(data, Mapping):
        raise CheckpointError("data of the Stable-Baselines3 archive is no JSON object")
    parts = [_read_part(archive, name) for name in archive.members if name.endswith(SUFFIX)]
    plain = Mapping([(key, value) for key, value in data.items if not isinstance(value, Mapping)])
    findings = (
        *describe_members(archive),
        *_pickles_in(data),
        *(finding for part in parts for finding in part.findings),
        *_missing_sibling(data, path),
    )
    trees = (*(tree for part in parts for tree in part.trees), Tree(plain, prefix=(DATA,)))
    covered = tuple(name for name in archive.members if name.endswith(SUFFIX))
    return Content("Stable-Baselines3 zip", trees, findings, covered=covered)


def _read_part(archive: Archive, name: str) -> Content:
    try:
        inner = open_archive(archive.region_of_member(name), archive.budget)
        root = root_of(inner)
        if root is None:
            raise CheckpointError("no torch archive")
        return read_torch_zip(inner, root, (name.removesuffix(SUFFIX),))
    except CheckpointError as error:
        raise CheckpointError(f"{name}: {error}") from error


def _pickles_in(data: Mapping) -> Iterator[Finding]:
    for key, value in data.items:
        fields = dict(value.items) if isinstance(value, Mapping) else {}
        if SERIALIZED in fields:
            place = f"data[{text_of(key)!r}]"
            walked = walk_member(_decoded(fields[SERIALIZED], place), place)
            yield from describe_unsafe(walked.globals, place)


def _decoded(text: Any, place: str) -> Region:
    try:
        return region_of(base64.b64decode(text))
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{place}: no base64") from error


def _missing_sibling(data: Mapping, path: Path) -> Iterator[Finding]:
    """Look for the statistics of a VecNormalize beside the archive, where SB3's own examples put them."""
    if _siblings(path.parent) or _siblings(path.with_suffix("")):
        return
    kept = {key for key, value in data.items if value is not None}
    if ORIGINAL in kept and OFF_POLICY not in kept:
        message = (
            "the model was trained on a VecNormalize, and no file of its statistics is beside the archive"
        )
    else:
        message = (
            "hint: no file of VecNormalize statistics is beside the archive; it may have been trained without"
        )
    yield Finding("missing-normalizer", message)


def _siblings(folder: Path) -> list[str]:
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return [
        name for name in names if "vecnormalize" in name.lower().replace("_", "") and name.endswith(".pkl")
    ]
