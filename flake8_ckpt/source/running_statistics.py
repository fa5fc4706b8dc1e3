"""What looks like running statistics by its text alone: attributes, the method calls that update them, and
the arithmetic that normalizes with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from functools import lru_cache

SET_ATTRIBUTES = re.compile(
    r"(?:self(?<!\wself)\.|register_buffer(?<!\wregister_buffer)\(\s*[\"']|add_state(?<!\wadd_state)\(\s*[\"'])"
    r"(\w+)\b[\"']?\s*(?:[-+*/]?=(?!=)|,|:)"
)
STATISTICS = re.compile(
    r"(?:^|_)(?:means?|mu|var|vars|variance|stds?|m2|s2?|sumsq|sum|sq|square|squares|count|cnt|n|num)(?:_|$)",
    re.I,
)
# A call of such a method, or the method itself handed to what may call it, or under another name.
UPDATE = re.compile(r"_?(?:update|record|push|observe|partial_fit|add|fit|step)\w*")
UPDATES = re.compile(rf"\.({UPDATE.pattern})(?=[(),\]}}]|[ \t]*(?:\n|#|(?:if|else|or)\b))")
RECEIVER = re.compile(r"(\w+)(?:\(\)|\[[^\]\n]{0,40}\])?$")
MAX_RECEIVER = 80
# The classes of one file are asked for again when its facts are put together.
REMEMBERED = 64
# An attribute that may be a mean or a spread, where it is no method: `.mean`, `.running_var`, not `.mean()`.
ACCESS = re.compile(r"\.(\w*(?:mean|mu|var|std|[mM]2|sq)\w*)\b(?!\s*\()")
MEAN = re.compile(r"(?:^|_)(?:means?|mu)(?:_|$)")
SPREAD = re.compile(r"(?:^|_)(?:vars?|variance|stds?|stddev|[mM]2|s2|sumsq|sq)(?:_|$)")
# The object before such an attribute: `self.rms`, `norms["obs"]`.
OBJECT = re.compile(r"(?:\w+\.)*(\w+)(?:\(\)|\[[^\]\n]{0,40}\])?$")
# `x - stats.mean`, `x - torch.as_tensor(stats.mean)`
TAKES_OFF = re.compile(r"-\s*(?:[\w.]+\(|\()*$")
# `/ np.sqrt(stats.var)`, `/ (1e-8 + stats.std)`, `torch.rsqrt(stats.var)`, and `batch_norm(x, stats.mean,
# stats.var)` or another function that is given both
DIVIDES = re.compile(
    r"(?:(?<!/)/(?!/)\s*|\b(?:rsqrt|div|divide|div_)\()(?:[\w.]*\(\s*)*(?:[\w.\-]+\s*\+\s*)?$"
    r"|\b(?:normali[sz]e\w*|\w*batch_norm)\([^=;:]{0,60}$"
)
# `mean, std = stats.mean, stats.std`: locals that a later line takes off or divides by.
BOUND = re.compile(r"^[ \t]*(\w+(?:\s*,\s*\w+)*)\s*=(?!=)[^=\n]*$", re.M)
OPERAND = re.compile(r"([-/])\s*(?:[\w.]+\(|\()*(\w+)\b(?![.(])")
MAX_BEFORE = 120
# `env.obs_rms`, `envs.get_obs_rms()`, `getattr(env, "obs_rms")`: statistics of another object.
TAKEN = re.compile(r"rms\b(?!=)")
TAKEN_FROM = re.compile(r"(?:\.(?<!\bself\.)|[\"'])(?:get_)?(\w*)$")
# Where they go no further: `test.obs_rms = train.obs_rms`, `test.set_obs_rms(...)`, `env.obs_rms.update(x)`,
# `obs_rms=train.obs_rms`, which the call tells that is given it, `print(env.obs_rms.mean)`
GIVEN = re.compile(
    r"\.\w*rms\s*=(?!=)|[(,\s]\w*rms=[\w.]+\.\w*rms\b|\bset_\w*rms\(|setattr\(|set_attr\(|rms\.update\w*\("
    r"|^\s*(?:assert|print|log|logger|logging|writer|wandb)\b"
)
# A method that changes statistics: `def update(`, `def record_moments(`.
CHANGES = re.compile(
    r"def\s+_?(?:update|record|push|observe|partial_fit|fit|add|accumulate|collect|experience)"
)


def updates_in(text: str) -> Iterator[tuple[str, str]]:
    """Yield the method calls that may update statistics, with the last name of what they are called on."""
    for match in UPDATES.finditer(text):
        receiver = RECEIVER.search(text, max(match.start() - MAX_RECEIVER, 0), match.start())
        if receiver is not None:
            yield receiver[1], match[1]


@lru_cache(maxsize=REMEMBERED)
def statistics_of(text: str) -> tuple[str, ...]:
    """Return the attributes of a class whose names are those of running statistics."""
    if "mean" not in text or not any(word in text for word in ("var", "std", "m2", "sq", "S")):
        return ()
    return tuple(name for name in dict.fromkeys(SET_ATTRIBUTES.findall(text)) if STATISTICS.search(name))


def keeps_statistics(text: str) -> bool:
    """Tell whether a class seems to have a mean and a spread, and a method that changes them or divides by them."""
    names = statistics_of(text)
    if not any(map(MEAN.search, names)) or not any(map(SPREAD.search, names)):
        return False
    return CHANGES.search(text) is not None or "self" in normalized_in(text)


def normalized_in(text: str) -> Iterator[str]:
    """Yield the last names of the objects whose mean a text takes off, or whose spread it divides by.

    Of its own statistics a class often takes off the mean to update them, so for "self" only a division counts.
    """
    if not ("mean" in text or "std" in text or "var" in text or "m2" in text):
        return
    used = _UsedNames(text)
    for match in ACCESS.finditer(text):
        start = match.start()
        owner = OBJECT.search(text, max(start - MAX_RECEIVER, 0), start)
        is_mean = MEAN.search(match[1]) is not None
        if owner is None or not is_mean and SPREAD.search(match[1]) is None:
            continue
        if is_mean and owner[1] == "self":
            continue
        before = text[max(owner.start() - MAX_BEFORE, 0) : owner.start()]
        if (TAKES_OFF if is_mean else DIVIDES).search(before) or used.has(before, is_mean):
            yield owner[1]


def taken_in(text: str) -> Iterator[str]:
    """Yield the names under which a text takes running statistics out of another object: `env.obs_rms`.

    Not where they are only handed to another object of the run, restored, updated, or normalized with.
    """
    if "rms" not in text:
        return
    for match in TAKEN.finditer(text):
        owner = TAKEN_FROM.search(text, max(match.start() - MAX_RECEIVER, 0), match.start())
        if owner is None:
            continue
        start = text.rfind("\n", 0, match.start()) + 1
        end = text.find("\n", match.end())
        line = text[start : end if end >= 0 else len(text)]
        name = f"{owner[1]}rms"
        if not GIVEN.search(line) and name not in normalized_in(line):
            yield name


class _UsedNames:
    """The locals that a text takes off or divides by, looked for once, where some statistic is bound to a local."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def signs(self) -> dict[str, set[str]]:
        """Return the signs before each name."""
        found: dict[str, set[str]] = {}
        for match in OPERAND.finditer(self.text):
            found.setdefault(match[2], set()).add(match[1])
        return found

    def has(self, before: str, is_mean: bool) -> bool:
        """Tell whether a statistic is bound to a local that the text takes off or divides by."""
        bound = BOUND.search(before[before.rfind("\n") + 1 :])
        if bound is None:
            return False
        sign = "-" if is_mean else "/"
        return any(sign in self.signs.get(name.strip(), ()) for name in bound[1].split(","))
