"""Make the report: flatten what was read, look at values where that helps, and run the checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from math import prod
from typing import Optional

from flake8_ckpt.runtime.inspector.checks import check_normalizers
from flake8_ckpt.runtime.inspector.checks import check_policy
from flake8_ckpt.runtime.inspector.checks import check_prefixes
from flake8_ckpt.runtime.inspector.checks import describe_nonfinite
from flake8_ckpt.runtime.inspector.content import Content
from flake8_ckpt.runtime.inspector.elements import DECODED
from flake8_ckpt.runtime.inspector.elements import FLOATING
from flake8_ckpt.runtime.inspector.elements import count_nonfinite
from flake8_ckpt.runtime.inspector.elements import digest_of
from flake8_ckpt.runtime.inspector.elements import is_readable
from flake8_ckpt.runtime.inspector.elements import span_of
from flake8_ckpt.runtime.inspector.elements import statistics_of
from flake8_ckpt.runtime.inspector.elements import summarize
from flake8_ckpt.runtime.inspector.flatten import Leaf
from flake8_ckpt.runtime.inspector.flatten import Numbers
from flake8_ckpt.runtime.inspector.flatten import flatten_all
from flake8_ckpt.runtime.inspector.key_paths import keys_of
from flake8_ckpt.runtime.inspector.pickles.safety import SIZES
from flake8_ckpt.runtime.inspector.report import Entry
from flake8_ckpt.runtime.inspector.report import Finding
from flake8_ckpt.runtime.inspector.report import Report
from flake8_ckpt.runtime.inspector.report import Statistics
from flake8_ckpt.runtime.inspector.roles import Group
from flake8_ckpt.runtime.inspector.roles import group_entries
from flake8_ckpt.runtime.inspector.roles import role_of
from flake8_ckpt.runtime.inspector.values import Array
from flake8_ckpt.runtime.inspector.values import Shape
from flake8_ckpt.runtime.inspector.values import Value

MEBIBYTE = 2**20
LARGEST_READ = MEBIBYTE
# Together: the statistics of normalizers, other small tensors, and with a scan all of them, which may share bytes.
MOST_STATISTICS = 8 * MEBIBYTE
MOST_SMALL = 4 * MEBIBYTE
MOST_SCANNED = 4
# Tensors of so many elements are decoded, not only looked through for NaN.
MOST_DECODED = 4096
SB3 = "Stable-Baselines3 zip"


@dataclass(frozen=True)
class Look:
    """How closely to look: at all floating-point values, and at all bytes for their digests."""

    scan: bool = False
    digest: bool = False


def make_report(path: str, size: int, content: Content, look: Look) -> Report:
    """Return the report on a file of `size` bytes."""
    flat = flatten_all(content.trees)
    reader = _Reader(max(MOST_SCANNED * size, MOST_SMALL) if look.scan else MOST_SMALL, look)
    read = [reader.read(leaf) for leaf in flat.leaves]
    entries = tuple(read)
    groups = group_entries(entries)
    entries = _with_roles(entries, groups)
    findings = [*content.findings, *reader.findings, *check_normalizers(groups)]
    findings += check_policy(entries, groups) if content.kind != SB3 else ()
    findings += check_prefixes(entries)
    if flat.is_cut:
        findings.append(
            Finding("damaged", "too deep, too large or inside itself: not all of it was looked into")
        )
    normalizers = tuple(group.name for group in groups)
    notes, keys = content.notes, keys_of(content.trees)
    return Report(path, content.kind, size, entries, tuple(findings), normalizers, notes, reader.count, keys)


def _with_roles(entries: tuple[Entry, ...], groups: list[Group]) -> tuple[Entry, ...]:
    """Take the roles from entries that only have the name of a statistic."""
    members = {entry.key for group in groups for entry in group.entries.values()}
    return tuple(entry if entry.key in members else replace(entry, role="") for entry in entries)


class _Reader:
    """Describe leaves, and read the values of some within a budget of bytes."""

    def __init__(self, budget: int, look: Look) -> None:
        self.budget = budget
        self.statistics_budget = MOST_STATISTICS
        self.scan, self.digest = look.scan, look.digest
        self.findings: list[Finding] = []
        self.count = 0

    def read(self, leaf: Leaf) -> Entry:
        entry = _describe(leaf)
        if isinstance(leaf.value, Numbers):
            entry = replace(entry, digest=repr(leaf.value.values)) if self.digest else entry
            return replace(entry, statistics=summarize(leaf.value.values)) if entry.role else entry
        if leaf.value.problem:
            self.findings.append(Finding("damaged", leaf.value.problem, leaf.key))
        if not is_readable(leaf.value) or _is_bound(leaf.key):
            return entry
        if self.digest:
            entry = replace(entry, digest=digest_of(leaf.value))
        statistics, bad = self._values(leaf.value, entry)
        finding = describe_nonfinite(leaf.key, statistics, bad)
        self.findings += [finding] if finding else []
        return replace(entry, statistics=statistics)

    def _values(self, array: Array, entry: Entry) -> tuple[Optional[Statistics], int]:
        cost = span_of(array)
        if entry.role and cost <= LARGEST_READ and cost <= self.statistics_budget:
            self.statistics_budget -= cost
            return self._looked_at(array, LARGEST_READ)
        if cost > self.budget or not (self.scan or cost <= LARGEST_READ):
            return None, 0
        self.budget -= cost
        return self._looked_at(array, MOST_DECODED)

    def _looked_at(self, array: Array, most: int) -> tuple[Optional[Statistics], int]:
        self.count += 1
        if array.dtype in DECODED and prod(array.shape) <= most:
            return statistics_of(array), 0
        return None, count_nonfinite(array) if array.dtype in FLOATING else 0


def _is_bound(key: str) -> bool:
    """Tell whether an array is a bound of an observation or action space, which may well be infinite."""
    *_, owner, name = ("", "", *key.split("."))
    return name in ("low", "high") and owner.endswith("space")


def _describe(leaf: Leaf) -> Entry:
    value, role = leaf.value, role_of(leaf.key)
    if isinstance(value, Numbers):
        return Entry(leaf.key, value.dtype, value.shape, 8 * len(value.values), role=role)
    where = value.stride, value.storage, value.device, value.layout
    if value.problem:
        return Entry(leaf.key, value.dtype, _sound(value.shape), 0, None, *where[1:], role)
    return Entry(
        leaf.key, value.dtype, value.shape, prod(value.shape) * SIZES.get(value.dtype, 0), *where, role
    )


def _sound(shape: Sequence[Value]) -> Shape:
    """Return a shape that is wrong as far as it can be printed."""
    is_sound = all(type(size) is int and size.bit_length() < 64 for size in shape)
    return tuple(shape) if is_sound else ()
