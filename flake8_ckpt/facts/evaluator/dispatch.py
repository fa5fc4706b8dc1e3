"""The one table of what each kind of expression may be, and the frames that look it up."""

from __future__ import annotations

from flake8_ckpt.facts.evaluator import calls
from flake8_ckpt.facts.evaluator import displays
from flake8_ckpt.facts.evaluator import expressions
from flake8_ckpt.facts.evaluator.frame import Evaluate
from flake8_ckpt.facts.evaluator.frame import Frame
from flake8_ckpt.facts.names import Names

EVALUATORS: dict[type, Evaluate] = {**expressions.HANDLERS, **displays.HANDLERS, **calls.HANDLERS}


def new_frame(names: Names, contract: bool = False, text: str = "", owner: str = "") -> Frame:
    """Return a frame on which nothing has been seen yet."""
    return Frame(names, EVALUATORS, contract, text, owner)
