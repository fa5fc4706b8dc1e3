"""What is more than the facts of a file hold is left out, and the rest is as before."""

from __future__ import annotations

import pytest

from flake8_ckpt.facts.collect import collect_file
from flake8_ckpt.facts.evaluator.displays import MAX_NAMES as MAX_LISTED
from flake8_ckpt.facts.evaluator.frame import MAX_SOURCES
from flake8_ckpt.source.reach import MAX_NAMES


@pytest.mark.parametrize("count", [MAX_SOURCES, MAX_SOURCES + 1])
def test_write_has_so_many_sources(count: int) -> None:
    parts = " + ".join(f"self.part_{each}" for each in range(count))
    program = f"""
import torch
from torch import nn

class Blend(nn.Module):
    def __init__(self):
        super().__init__()
        self.total = torch.zeros(3)

    def update(self, x):
        self.total = {parts} + x
"""
    methods = {each.name: each for each in collect_file(program.encode()).classes[0].methods}
    assert len(methods["update"].writes[0].sources) == MAX_SOURCES


@pytest.mark.parametrize(("count", "read"), [(MAX_NAMES, True), (MAX_NAMES + 1, False)])
def test_callers_of_so_many_saving_functions_are_read(count: int, read: bool) -> None:
    saving = (f"def keep_{each:03}(path):\n    torch.save({{}}, path)\n\n" for each in range(count))
    program = f"import torch\n\n{''.join(saving)}def call(path):\n    keep_{count - 1:03}(path)\n"
    names = [each.name for each in collect_file(program.encode()).functions]
    assert "keep_000" in names and ("call" in names) == read


@pytest.mark.parametrize(("count", "known"), [(MAX_LISTED, True), (MAX_LISTED + 1, False)])
def test_names_of_a_mapping_by_names_are_so_many(count: int, known: bool) -> None:
    names = ", ".join(f'"part_{each}"' for each in range(count))
    program = f"""
import torch

class Agent:
    def save(self, path):
        torch.save({{name: getattr(self, name) for name in ({names})}}, path)
"""
    (method,) = collect_file(program.encode()).classes[0].methods
    assert ("part_0" in str(method.calls)) == known
