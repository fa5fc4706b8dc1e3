"""`self.w = tensor` becomes `self.w = nn.Parameter(tensor)`."""

from __future__ import annotations

import libcst as cst

from flake8_ckpt.fixes.constructor import constructor_writes
from flake8_ckpt.fixes.constructor import obstacle_to_registration
from flake8_ckpt.fixes.suggestion import OLDER
from flake8_ckpt.fixes.suggestion import Site
from flake8_ckpt.fixes.suggestion import Suggestion
from flake8_ckpt.fixes.suggestion import after
from flake8_ckpt.fixes.suggestion import before
from flake8_ckpt.fixes.torch_names import name_of

NO_TENSORS = (cst.List, cst.Tuple, cst.Dict, cst.Set, cst.Integer, cst.Float, cst.SimpleString)


def change(site: Site) -> Suggestion:
    """Wrap what the constructor sets; torch refuses a later plain tensor, so every write of it is wrapped."""
    title = f"make '{site.name}' a parameter"
    parameter, imports = name_of(site, "torch.nn.Parameter")
    code = f"self.{site.name} = {parameter}(...)"
    obstacle = site.finding.fix.reason or obstacle_to_registration(site, NO_TENSORS)
    if obstacle:
        return Suggestion(title, "shown", obstacle, code=code)
    edits = list(imports)
    for write in constructor_writes(site):
        if write.value is None:
            return Suggestion(title, "shown", "the constructor changes it again", code=code)
        if not (isinstance(write.value, cst.Name) and write.value.value == "None"):
            span = site.span(write.value)
            edits += [before(span, f"{parameter}("), after(span, ")")]
    note = f"optimizers get it from parameters(), and the state_dict gets the key '{site.name}': {OLDER}"
    return Suggestion(title, "unsafe", note, tuple(edits))
