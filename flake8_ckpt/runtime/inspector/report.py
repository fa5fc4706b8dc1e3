"""What the inspector found in a file: plain frozen records, which `dataclasses.asdict` turns into JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from flake8_ckpt.runtime.inspector.values import Shape

# What can be asked for with `--fail-on`, and what each says.
KINDS = {
    "unsafe": "something in the file runs code or imports an unknown module, or misleads whoever unpacks it",
    "imports": "something in the file imports classes of known libraries, such as torch or gymnasium",
    "damaged": "a tensor or a part of the file is not what it says it is",
    "nonfinite": "values are NaN or infinite",
    "negative-variance": "a variance or a standard deviation is below zero",
    "never-updated": "the statistics of a normalizer are those that it began with",
    "missing-normalizer": "there is a policy and no statistics of a normalizer",
    "mismatch": "keys, shapes or dtypes are not those of the module of --against, keys not those that the readers"
    " of --project need (always ends with 1)",
    "never-restored": "no reader of --project restores a key",
    "prefix": "the keys have a prefix of a wrapper",
}


@dataclass(frozen=True, slots=True)
class Statistics:
    """What the values of a tensor are: the extremes and the mean of its finite ones, and how many are not."""

    minimum: Optional[float]
    maximum: Optional[float]
    mean: Optional[float]
    nonfinite: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A tensor, an array, or a plain number or list of numbers where `storage` is absent.

    `nbytes` counts its elements, also where it shares them with another. `stride` is in elements, absent where
    the file has none. `role` is "mean", "variance", "deviation", "sum", "square" or "count" of a normalizer.
    """

    key: str
    dtype: str
    shape: Shape
    nbytes: int
    stride: Optional[Shape] = None
    storage: Optional[str] = None
    device: str = "cpu"
    layout: str = "strided"
    role: str = ""
    statistics: Optional[Statistics] = None
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know: a kind of `KINDS`, a sentence, and the key or the member that it is about.

    `level` is "command", "unknown" or "library" for what loading would run or import.
    """

    kind: str
    message: str
    key: str = ""
    level: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All of it.

    `normalizers` are the names of the groups of statistics; `read` is how many tensors were read; `keys` are the
    paths of the keys of mappings, three deep, also of those that hold neither tensors nor numbers.
    """

    path: str
    kind: str
    size: int
    entries: tuple[Entry, ...]
    findings: tuple[Finding, ...]
    normalizers: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    read: int = 0
    keys: tuple[tuple[str, ...], ...] = ()

    def has(self, kinds: frozenset[str]) -> bool:
        """Tell whether something of one of these kinds was found."""
        return any(finding.kind in kinds for finding in self.findings)
