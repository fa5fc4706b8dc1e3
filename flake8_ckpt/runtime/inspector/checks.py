"""What is to be said about the keys and the values of a checkpoint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Optional

from flake8_ckpt.runtime.inspector.report import Entry
from flake8_ckpt.runtime.inspector.report import Finding
from flake8_ckpt.runtime.inspector.report import Statistics
from flake8_ckpt.runtime.inspector.roles import Group
from flake8_ckpt.runtime.inspector.roles import has_policy

WRAPPERS = {"module": "DataParallel or DistributedDataParallel", "_orig_mod": "torch.compile"}
# A prefix stands at the begin of the keys of a state_dict, which may itself be under one or two keys.
DEEPEST_PREFIX = 2
# What each statistic is before the first update.
INITIAL = {"mean": 0.0, "sum": 0.0, "variance": 1.0, "deviation": 1.0, "square": 0.0}


def check_normalizers(groups: Sequence[Group]) -> Iterator[Finding]:
    """Yield negative variances and statistics that nothing has updated."""
    for group in groups:
        for role in ("variance", "deviation", "square"):
            entry = group.entries.get(role)
            low = entry.statistics.minimum if entry is not None and entry.statistics else None
            if entry is not None and low is not None and low < 0:
                yield Finding("negative-variance", f"{role} goes down to {low:g}", entry.key)
        reason = "" if group.is_plain_pair else _why_fresh(group)
        if reason:
            yield Finding("never-updated", f"as it began: {reason}", group.name)


def _why_fresh(group: Group) -> str:
    """Return why the statistics are those that the normalizer began with, or nothing."""
    count = _constant(group.entries.get("count"))
    center = group.entries.get("mean", group.entries.get("sum"))
    spread = group.spread
    if center is None or spread is None:
        return ""
    values = _constant(center), _constant(spread)
    role = next(role for role, entry in group.entries.items() if entry is spread)
    if values == (0.0, INITIAL[role]):
        return f"mean all 0 and {role} all {INITIAL[role]:g}" + (
            f", count {count:g}" if count is not None else ""
        )
    # Some converted checkpoints have a count of 0 and statistics of real data.
    return "count is 0" if count == 0 and (center.statistics is None or values[0] == 0.0) else ""


def _constant(entry: Optional[Entry]) -> Optional[float]:
    """Return the one value that all elements have."""
    known = entry.statistics if entry is not None else None
    if known is None or known.nonfinite or known.minimum != known.maximum:
        return None
    return known.minimum


def check_policy(entries: Sequence[Entry], groups: Sequence[Group]) -> Iterator[Finding]:
    """Yield the absence of a normalizer beside a policy; batch normalization is none of observations."""
    if has_policy(entries) and all(group.is_batch_norm for group in groups):
        message = "there is a policy, and no statistics of an observation or return normalizer beside it"
        yield Finding("missing-normalizer", message)


def check_prefixes(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Yield the prefixes of wrappers that all keys beside each other have."""
    tensors = [entry.key.split(".") for entry in entries if entry.storage is not None]
    below = Counter(tuple(parts[:depth]) for parts in tensors for depth in range(DEEPEST_PREFIX + 2))
    for parent, count in below.items():
        name = parent[-1] if parent else ""
        if name in WRAPPERS and len(parent) <= DEEPEST_PREFIX + 1 and below[parent[:-1]] == count:
            where = f"below '{'.'.join(parent[:-1])}' " if parent[:-1] else ""
            message = f"all {count} keys {where}begin with '{name}.', from {WRAPPERS[name]}"
            yield Finding("prefix", message, ".".join(parent))


def describe_nonfinite(key: str, statistics: Optional[Statistics], count: int) -> Optional[Finding]:
    """Return what is not finite in an entry."""
    bad = statistics.nonfinite if statistics is not None else count
    if not bad:
        return None
    return Finding("nonfinite", f"{bad:,} value{'s are' if bad > 1 else ' is'} NaN or infinite", key)
