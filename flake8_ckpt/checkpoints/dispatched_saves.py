"""Payloads that are handed to code which nobody can follow: `fabric.call("on_checkpoint", state=d)`."""

from __future__ import annotations

import re
from typing import Optional

from flake8_ckpt.checkpoints.payload import states_in
from flake8_ckpt.facts.values import Call
from flake8_ckpt.facts.values import Const
from flake8_ckpt.facts.values import Record
from flake8_ckpt.facts.values import Value
from flake8_ckpt.linking.functions import arguments_of
from flake8_ckpt.linking.functions import called_name

# What the name of the helper, or of the event that is dispatched, says: `io.write_snapshot(d)`, "on_checkpoint".
SAVES = re.compile(r"save|checkpoint|ckpt|snapshot|persist|dump|(?<!re)store|write|export", re.IGNORECASE)
LOADS = re.compile(
    r"load|restore|resume|read|apply|(^|_)(set|from|parse|convert|check|compare)(_|$)", re.IGNORECASE
)


def handed_payload(call: Call, arguments: tuple[Value, ...]) -> Optional[Record]:
    """Return the payload among the expanded arguments of a call, where it is one that saves by its name."""
    names = [called_name(call)]
    names += [
        each.value for each in arguments_of(call) if isinstance(each, Const) and isinstance(each.value, str)
    ]
    if any(map(LOADS.search, names)) or not any(map(SAVES.search, names)):
        return None
    return next(
        (each for each in arguments if isinstance(each, Record) and any(True for _ in states_in(each))), None
    )
