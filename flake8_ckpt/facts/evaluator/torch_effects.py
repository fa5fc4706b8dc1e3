"""What a function of torch does to `self`: it initializes, collects, or shows that something is a tensor."""

from __future__ import annotations

import ast

from flake8_ckpt.facts import values as v
from flake8_ckpt.facts.evaluator.frame import Frame
from flake8_ckpt.facts.evaluator.inplace_changes import note_filled
from flake8_ckpt.facts.evaluator.weight_changes import note_weights
from flake8_ckpt.facts.syntax import given_to
from flake8_ckpt.facts.syntax import self_attribute
from flake8_ckpt.frameworks.torch import TENSOR_ONLY

Args = tuple[v.Value, ...]
Keywords = tuple[tuple[str, v.Value], ...]
COLLECTORS = frozenset("cat concat concatenate hstack vstack".split())


def note_torch(
    path: str, tail: str, node: ast.Call, args: Args, keywords: Keywords, frame: Frame
) -> v.Value | None:
    """Note what a function of torch does to `self`; return what it initializes, if it does that."""
    given = given_to(node)
    attr = self_attribute(given[0]) if given else None
    if path.startswith("torch.nn.init.") and given:
        if attr is not None:
            frame.depends.discard(attr)
            frame.write(attr, "inplace", v.Tensor("random"))
        elif args:
            note_weights(args[0], frame)
        return args[0] if args else keywords[0][1]
    note_filled(path, args, keywords, frame)
    if tail in TENSOR_ONLY and attr is not None:
        frame.read(attr, "tensor")
    if tail in COLLECTORS:
        for each in sorted(each for each in frame.depends if each.isidentifier()):
            frame.uses.setdefault(each, {})["cat"] = None
            frame.use_positions.setdefault(each, frame.position)
    return None
