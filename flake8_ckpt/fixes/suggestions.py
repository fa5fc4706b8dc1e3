"""From a file's findings to suggestions: each codemod sees a fresh parse of the code around its finding."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import replace

from flake8_ckpt.findings import Finding
from flake8_ckpt.fixes.codemods import checkpoint_keys
from flake8_ckpt.fixes.codemods import late_state
from flake8_ckpt.fixes.codemods import load_statement
from flake8_ckpt.fixes.codemods import module_container
from flake8_ckpt.fixes.codemods import parameter
from flake8_ckpt.fixes.codemods import persistent
from flake8_ckpt.fixes.codemods import register_buffer
from flake8_ckpt.fixes.codemods import registration_result
from flake8_ckpt.fixes.codemods import state_keys
from flake8_ckpt.fixes.codemods import tensor_container
from flake8_ckpt.fixes.codemods import vecnormalize
from flake8_ckpt.fixes.piece import OutOfReach
from flake8_ckpt.fixes.piece import Source
from flake8_ckpt.fixes.suggestion import BufferStyle
from flake8_ckpt.fixes.suggestion import Site
from flake8_ckpt.fixes.suggestion import Suggestion
from flake8_ckpt.source.text import Unreadable
from flake8_ckpt.source.text import decode
from flake8_ckpt.source.text import parse

Codemod = Callable[[Site], Suggestion]
CODEMODS: Mapping[str, Codemod] = {
    "register_buffer": register_buffer.change,
    "parameter": parameter.change,
    "persistent": persistent.change,
    "registration_result": registration_result.change,
    "module_container": module_container.change,
    "tensor_container": tensor_container.change,
    "late_registration": late_state.change_registration,
    "late_tensor": late_state.change_none,
    "array": late_state.change_array,
    "number": late_state.change_number,
    "derived_number": late_state.change_derived,
    "save_restored": checkpoint_keys.save_restored,
    "read_similar": checkpoint_keys.read_similar,
    "restore_saved": checkpoint_keys.restore_saved,
    "add_object": checkpoint_keys.add_object,
    "save_statistics": vecnormalize.save_statistics,
    "keep_statistics": vecnormalize.keep_statistics,
    "look_at_report": load_statement.look_at_report,
    "fill_in_place": load_statement.fill_in_place,
    "save_state": load_statement.save_state,
    "add_prefix": state_keys.add_prefix,
    "save_metric": state_keys.save_metric,
}


def suggestion(finding: Finding, text: str | bytes, style: BufferStyle = "auto") -> Suggestion | None:
    """Return how a finding in a file of this content may be mended, None where nothing is known of that.

    The edits are those of the text with line feeds as `source.text.decode` gives it.
    """
    return suggestions([finding], text, style)[0]


def suggestions(
    findings: Sequence[Finding], text: str | bytes, style: BufferStyle = "auto"
) -> list[Suggestion | None]:
    """Return a suggestion, or None, for each of the findings of one file."""
    if not any(each.fix.name for each in findings):
        return [None] * len(findings)
    try:
        plain = decode(text) if isinstance(text, bytes) else text
        source = Source(plain, parse(plain).tree)
    except Unreadable:
        return [None] * len(findings)
    return [_suggestion(each, source, style) if each.fix.name in CODEMODS else None for each in findings]


def _suggestion(finding: Finding, source: Source, style: BufferStyle) -> Suggestion | None:
    """Ask the codemod; what libcst cannot read, and code that has changed since, gets no suggestion."""
    place = finding.position
    try:
        piece = source.piece_at(place.line)
        found = CODEMODS[finding.fix.name](Site(finding, piece, piece.path_to(place.line, place.col), style))
    except (OutOfReach, RecursionError):
        return None
    return replace(found, safety="shown") if finding.fix.safety == "shown" else found
