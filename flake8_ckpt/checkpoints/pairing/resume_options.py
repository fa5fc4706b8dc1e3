"""Loads that the code itself calls a resume: by the option that asks for them, or by the name of what they read.

if args.resume:
    model.load_state_dict(torch.load(args.resume)["model"])
"""

from __future__ import annotations

import re

from flake8_ckpt.checkpoints.effects import LoadEffect
from flake8_ckpt.checkpoints.payload import file_of
from flake8_ckpt.facts.model import Guards
from flake8_ckpt.facts.values import Attr
from flake8_ckpt.facts.values import Item
from flake8_ckpt.facts.values import Local
from flake8_ckpt.facts.values import Param
from flake8_ckpt.facts.values import Value
from flake8_ckpt.linking.value_names import last_name
from flake8_ckpt.linking.value_names import parts_of

# `resume`, `resume_from`, `continue_training`, `auto_resume`, `recover_path`.
RESUMES = re.compile(r"(^|[._])(resume|resuming|continue|recover)(_\w+)?$")
# Programs that begin a new training on the weights of another one.
TUNES = re.compile(r"fine_?tun|pretrain|transfer|distil|adapt|warm_?start", re.I)
# Files to begin with that are not those of the run itself: `init_weights`, `teacher.pt`, `encoder_path`, `best.pth`.
BEGINS = re.compile(
    TUNES.pattern
    + r"|teacher|backbone|imagenet|baseline|expert|dynamics|world_?model"
    + r"|(^|[^a-z])(init|best|base_(model|ckpt|checkpoint|weight)|eval|test|infer|demo|play(_|$))",
    re.I,
)


def asks_to_resume(guards: Guards) -> bool:
    """Tell whether one of some conditions is an option that says that training goes on."""
    return any(each.kind == "option" and RESUMES.search(each.name) is not None for each in guards)


def is_resume(load: LoadEffect) -> bool:
    """Tell whether a load is asked for as a resume, or reads a file that is called so."""
    return load.asked or any(map(_is_named_so, parts_of(file_of(load.root))))


def _is_named_so(part: Value) -> bool:
    is_name = isinstance(part, (Attr, Item, Local, Param))
    return is_name and RESUMES.search(last_name(part)) is not None
