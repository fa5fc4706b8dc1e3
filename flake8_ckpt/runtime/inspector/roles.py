"""Tell by its keys what the statistics of a normalizer are, and whether there is a policy."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field

from flake8_ckpt.runtime.inspector.report import Entry

# The last word of a key, and what it is to a normalizer.
WORDS = {
    "mean": "mean",
    "var": "variance",
    "variance": "variance",
    "std": "deviation",
    "m2": "square",
    "sum": "sum",
    "sumsq": "square",
    "ssq": "square",
    "count": "count",
    "num_batches_tracked": "count",
}
SPREADS = ("variance", "deviation", "square")
# What these are before a separator of torchrl, and in a pair; a name that ends with them may be anything.
PAIRED = {"loc": "mean", "scale": "deviation"}
FIRST_WORD = re.compile(rf"({'|'.join([*WORDS, *PAIRED])})")
# Between the parts of a nested name, in what the two editions of torchrl's VecNorm keep as extra state.
SEPARATORS = re.compile(r"\.-\|-\.|-<\.>-")
TOP_LEVEL = "(top level)"
LAST_WORD = re.compile(rf"(?:(.*?)_)?({'|'.join(WORDS)})")
# Running statistics of a batch normalization: not those of observations or returns.
BATCHES = "num_batches_tracked"
POLICY_WORDS = frozenset("policy actor critic".split())
POLICY_NAMES = frozenset("pi vf qf1 qf2 q_net action_net value_net mlp_extractor a2c_network".split())


@dataclass
class Group:
    """The statistics of one normalizer: the entries by role."""

    name: str
    entries: dict[str, Entry] = field(default_factory=dict)

    @property
    def is_normalizer(self) -> bool:
        """Tell whether there is a center and a spread of one shape."""
        center = self.entries.get("mean", self.entries.get("sum"))
        spread = self.spread
        return center is not None and spread is not None and center.shape == spread.shape

    @property
    def spread(self) -> Entry | None:
        """Return the variance, the deviation or the sum of squares."""
        return next((self.entries[role] for role in SPREADS if role in self.entries), None)

    @property
    def is_plain_pair(self) -> bool:
        """Tell whether these are a `loc` and a `scale`, which a distribution may have that nothing updates."""
        return {entry.key.rpartition(".")[2] for entry in self.entries.values()} <= PAIRED.keys()

    @property
    def is_batch_norm(self) -> bool:
        """Tell whether a batch normalization layer keeps these."""
        return "count" in self.entries and self.entries["count"].key.endswith(BATCHES)


def role_of(key: str) -> str:
    """Return what an entry with this key would be to a normalizer, or nothing."""
    found = _statistic_of(key)
    return found[2] if found else ""


def _statistic_of(key: str) -> tuple[str, str, str] | None:
    """Return the owner of a statistic, the part of its name that others beside it share, and what it is.

    `obs_rms.mean` is ("obs_rms", "", "mean"), `running_var` ("", "running", "variance"), and torchrl's
    `loc.-|-.observation` ("", "observation", "mean").
    """
    parts = SEPARATORS.split(key)
    if len(parts) > 1:
        folder, _, first = parts[0].rpartition(".")
        if FIRST_WORD.fullmatch(first):
            return folder, ".".join(parts[1:]), (WORDS | PAIRED)[first]
        key = ".".join(parts)
    folder, _, name = key.rpartition(".")
    match = LAST_WORD.fullmatch(name.lower())
    if match is not None:
        return folder, (match[1] or "").strip("_"), WORDS[match[2]]
    return (folder, "", PAIRED[name]) if name in PAIRED else None


def group_entries(entries: Iterable[Entry]) -> list[Group]:
    """Return the normalizers: entries beside each other whose names differ in their last word only.

    A count without such a name belongs to all normalizers beside it.
    """
    groups: dict[tuple[str, str], Group] = {}
    counts: dict[str, Entry] = {}
    for entry in entries:
        found = _statistic_of(entry.key)
        if found is None:
            continue
        folder, stem, role = found
        name = ".".join(filter(None, (folder, stem))) or TOP_LEVEL
        group = groups.setdefault((folder, stem), Group(name))
        group.entries.setdefault(role, entry)
        if role == "count":
            counts[folder] = entry
    normalizers = {place: group for place, group in groups.items() if group.is_normalizer}
    for (folder, _), group in normalizers.items():
        if "count" not in group.entries and folder in counts:
            group.entries["count"] = counts[folder]
    return list(normalizers.values())


def has_policy(entries: Sequence[Entry]) -> bool:
    """Tell whether the weights of a policy are there."""
    return any(
        len(entry.shape) > 1 and entry.storage is not None and _names_policy(entry.key) for entry in entries
    )


def _names_policy(key: str) -> bool:
    parts = key.lower().split(".")[:-1]
    return any(part in POLICY_NAMES or POLICY_WORDS.intersection(part.split("_")) for part in parts)
