"""What a mention means for the state of the object: an update, a save, a restore, or that others take it over."""

from __future__ import annotations

import re

from flake8_ckpt.checkpoints.object_kinds import ObjectKind
from flake8_ckpt.facts.values import Call
from flake8_ckpt.losses.ledger.mentions import Mention

# Calls by which training changes an object: `scheduler.step()`, `ema.update()`, `rms.update(x)`, `norm(x)`.
UPDATES = re.compile(
    r"^_*(step\w*|update\w*|record\w*|push|observe|partial_fit|unscale_|normalize|normalise|apply|__call__)$"
)
# Those of them that give nothing back.
CHANGES = re.compile(r"^_*(step\w*|update\w*|record\w*|push|observe|partial_fit|reset\w*)$")
# Calls that normalize with an object: `norm(x)`, `rms.normalize(x)`.
USES = re.compile(r"^_*(normali[sz]e\w*|norm|apply|filter|transform|__call__|mean|var|std)$")
# Calls that save or restore an object: `x.state_dict()`, `x.save(path)`, `restore_rng(x)`.
KEEPS = re.compile(
    r"state_dict|^_?(save|load|restore|dump|get_state|set_state|serialize)|^(__getstate__|__setstate__)$"
)
# Calls of a collector of objects: `checkpointer.add_recoverable("model", model)`, `tracker.track(model)`.
COLLECTS = re.compile(r"^(add|register|attach|track)(_(?!param_group)|$)")
# Of these a part in a payload is the state: `{"mean": rms.mean}`, `{"alpha": log_alpha.detach()}`.
IN_PARTS = frozenset(["normalizer", "ema", "tensor", "scaler", "scheduler", "stateful"])
# A part that is only written down: `{"lr": scheduler.get_last_lr()}`.
TOLD = re.compile(r"(^|_)lr(_|$)")
# Calls that step the optimizer they are given.
STEPS = frozenset(["step", "optimizer_step"])


def is_use(mention: Mention) -> bool:
    """Tell whether a normalizer is applied here."""
    return USES.search(mention.name) is not None


def is_update(mention: Mention, kind: str) -> bool:
    """Tell whether training changes an object here."""
    if mention.how == "called":
        if kind == "optimizer":
            return mention.name.startswith("step")
        return UPDATES.search(mention.name) is not None
    return mention.how == "given" and mention.name in STEPS and kind == "optimizer"


def is_kept(mention: Mention, kind: ObjectKind | str) -> bool:
    """Tell whether the state of an object is saved or restored here."""
    if mention.how in ("saved", "restored"):
        is_part = kind in IN_PARTS and TOLD.search(mention.name) is None
        return not mention.name or KEEPS.search(mention.name) is not None or is_part
    if mention.how != "called" or kind == "ema" and _swaps(mention):
        return False
    return KEEPS.search(mention.name) is not None


def _swaps(mention: Mention) -> bool:
    """Tell whether an average gives the raw weights back: `average.restore()`, `average.restore(net.parameters())`."""
    given = mention.site.call.args if mention.site is not None else ()
    return mention.name == "restore" and all(isinstance(each, Call) for each in given)


def only_updates(mention: Mention) -> bool:
    """Tell whether a method changes an object and gives nothing back."""
    return CHANGES.search(mention.name) is not None


def is_result_used(mention: Mention) -> bool:
    """Tell whether something is done with what a method gives, as far as the call is known."""
    return mention.site is None or mention.site.used
