"""Compare a checkpoint with a module that the user names: this imports torch and runs the user's own code."""

from __future__ import annotations

import importlib
import os
import sys
from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flake8_ckpt.runtime.inspector.errors import CheckpointError
from flake8_ckpt.runtime.inspector.report import Entry
from flake8_ckpt.runtime.inspector.report import Finding
from flake8_ckpt.runtime.inspector.report import Report
from flake8_ckpt.runtime.inspector.values import Shape

Layout = Mapping[str, tuple[str, Shape]]


def compare(report: Report, spec: str) -> Report:
    """Return the report with the differences to the `state_dict()` of what `module:factory` returns.

    The keys are looked for below the prefix under which most of them are, such as `model.module.`.
    """
    wanted = _layout_of(spec)
    tensors = {entry.key: entry for entry in report.entries if entry.storage is not None}
    prefix = _prefix_of(tensors, wanted)
    found = {key.removeprefix(prefix): entry for key, entry in tensors.items() if key.startswith(prefix)}
    note = (
        f"compared with {spec}, {len(wanted)} keys, below '{prefix}'" if prefix else f"compared with {spec}"
    )
    findings = (*report.findings, *_differences(found, wanted))
    return replace(report, findings=findings, notes=(*report.notes, note))


def _differences(found: Mapping[str, Entry], wanted: Layout) -> Iterator[Finding]:
    for key, (dtype, shape) in wanted.items():
        if key not in found:
            yield Finding("mismatch", "missing: the module has it and the file does not", key)
        elif found[key].shape != shape:
            yield Finding("mismatch", f"shape {found[key].shape} in the file, {shape} in the module", key)
        elif found[key].dtype != dtype:
            yield Finding("mismatch", f"dtype {found[key].dtype} in the file, {dtype} in the module", key)
    for key in found:
        if key not in wanted:
            yield Finding("mismatch", "unexpected: the file has it and the module does not", key)


def _prefix_of(tensors: Mapping[str, Entry], wanted: Layout) -> str:
    """Return the prefix below which most keys are, the shortest of several."""
    counts: Counter[str] = Counter()
    for key in tensors:
        parts = key.split(".")
        counts.update(
            ".".join([*parts[:at], ""]) for at in range(len(parts)) if ".".join(parts[at:]) in wanted
        )
    return max(counts, key=lambda prefix: (counts[prefix], -len(prefix)), default="")


def _layout_of(spec: str) -> Layout:
    """Return the dtype and shape of each key of the module that a factory makes."""
    module, _, name = spec.partition(":")
    if not module or not name:
        raise CheckpointError(f"--against {spec}: give a module and a function as module:factory")
    try:
        import torch

        state = _made(module, name)
        state = state.state_dict()
        tensors = {key: each for key, each in state.items() if isinstance(each, torch.Tensor)}
    # The user's code may fail in any way; this says how in one line.
    except Exception as error:
        raise CheckpointError(f"--against {spec}: {type(error).__name__}: {error}") from error
    return {key: (str(each.dtype).removeprefix("torch."), tuple(each.shape)) for key, each in tensors.items()}


def _made(module: str, name: str) -> Any:
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    value: Any = importlib.import_module(module)
    for part in name.split("."):
        value = getattr(value, part)
    return value()
