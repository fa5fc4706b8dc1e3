"""What looks like running statistics by its text alone: attributes, and method calls that update them."""

from __future__ import annotations

import re
from collections.abc import Iterator

SET_ATTRIBUTES = re.compile(
    r"(?:self(?<!\wself)\.|register_buffer(?<!\wregister_buffer)\(\s*[\"']|add_state(?<!\wadd_state)\(\s*[\"'])"
    r"(\w+)\b[\"']?\s*(?:[-+*/]?=(?!=)|,|:)"
)
STATISTICS = re.compile(
    r"(?:^|_)(?:means?|mu|var|vars|variance|stds?|m2|s2?|sumsq|sum|sq|square|squares|count|cnt|n|num)(?:_|$)",
    re.I,
)
# A call of such a method, or the method itself handed to what may call it, or under another name.
UPDATES = re.compile(
    r"\.(_?(?:update|record|push|observe|partial_fit|add|fit|step)\w*)(?=[(),\]}]|[ \t]*(?:\n|#|(?:if|else|or)\b))"
)
RECEIVER = re.compile(r"(\w+)(?:\(\)|\[[^\]\n]{0,40}\])?$")
MAX_RECEIVER = 80


def updates_in(text: str) -> Iterator[tuple[str, str]]:
    """Yield the method calls that may update statistics, with the last name of what they are called on."""
    for match in UPDATES.finditer(text):
        receiver = RECEIVER.search(text, max(match.start() - MAX_RECEIVER, 0), match.start())
        if receiver is not None:
            yield receiver[1], match[1]


def statistics_of(text: str) -> tuple[str, ...]:
    """Return the attributes of a class whose names are those of running statistics."""
    if "mean" not in text or not any(word in text for word in ("var", "std", "m2", "sq", "S")):
        return ()
    return tuple(name for name in dict.fromkeys(SET_ATTRIBUTES.findall(text)) if STATISTICS.search(name))
