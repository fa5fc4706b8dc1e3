"""State that a class makes late, or keeps as an array or a number: how to register it is shown, in its own names."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from flake8_ckpt.confirm.expressions import last_name
from flake8_ckpt.confirm.expressions import text_of
from flake8_ckpt.fixes.arguments import argument
from flake8_ckpt.fixes.arguments import call_in
from flake8_ckpt.fixes.attribute_writes import writes_in
from flake8_ckpt.fixes.suggestion import Site
from flake8_ckpt.fixes.suggestion import Suggestion
from flake8_ckpt.fixes.suggestion import one_line


def change_registration(site: Site) -> Suggestion:
    """Show a registration in the constructor for one that stands elsewhere."""
    method = site.function.name.value if site.function is not None else "it"
    call = call_in(site.statement, "register_buffer", "register_parameter")
    value = site.statement.value if isinstance(site.statement, (cst.Assign, cst.AnnAssign)) else None
    title = f"register '{site.name}' in __init__()"
    shape = f"  # in __init__(), of the shape that {method}() gives it"
    if isinstance(value, cst.Call) and last_name(value.func) not in ("register_buffer", "register_parameter"):
        maker = site.code(value.func)
        if last_name(value.func) == "Parameter":
            return Suggestion(title, "shown", "", code=f"self.{site.name} = {maker}(torch.zeros(...)){shape}")
        if last_name(value.func)[:1].isupper():
            note = f"with the sizes that {method}() finds; or use a lazy module of torch"
            return Suggestion(title, "shown", note, code=f"self.{site.name} = {maker}(...)  # in __init__()")
    made = argument(call, "tensor", 1) if call is not None else None
    note = (
        f"{method}() then sets it with self.{site.name} = {one_line(site.code(made.value))}" if made else ""
    )
    return Suggestion(
        title, "shown", note, code=f'self.register_buffer("{site.name}", torch.zeros(...)){shape}'
    )


def change_none(site: Site) -> Suggestion:
    """Show a buffer of the right shape for an attribute that starts as None."""
    title = f"make '{site.name}' a buffer from the start"
    code = f'self.register_buffer("{site.name}", torch.zeros(...))  # of the shape that it will have'
    note = (
        "a buffer that is None at first has no key, and a new object refuses a checkpoint that has it;"
        " where the code asks whether it is None, ask a flag or a count"
    )
    return Suggestion(title, "shown", note, code=code)


def change_array(site: Site) -> Suggestion:
    """Show a buffer made of an array."""
    title = f"make '{site.name}' a buffer"
    code = f'self.register_buffer("{site.name}", torch.as_tensor({_value(site)}))'
    return Suggestion(title, "shown", f"compute with torch where numpy changes 'self.{site.name}'", code=code)


def change_number(site: Site) -> Suggestion:
    """Show a buffer made of a number, and each statement that changes it as it must be then."""
    title = f"make '{site.name}' a buffer"
    first = f'self.register_buffer("{site.name}", torch.tensor({_value(site)}))'
    code = "\n".join([first, *_changes(site)])
    return Suggestion(title, "shown", "torch takes no plain number for a buffer: fill it in place", code=code)


def change_derived(site: Site) -> Suggestion:
    """Show a property for a number that is computed from a parameter once."""
    title = f"compute '{site.name}' when it is asked for"
    code = f"@property\ndef {site.name}(self):\n    return {_value(site)}"
    return Suggestion(title, "shown", "then it follows what a load restores", code=code)


def _changes(site: Site) -> Iterator[str]:
    """Yield the other assignments of a number as they have to be for a buffer."""
    for write in [] if site.class_def is None else writes_in(site.class_def, site.name):
        if write.method != "__init__" and write.value is not None:
            line = site.span(write.statement).line
            yield f"self.{site.name}.fill_({one_line(site.code(write.value))})  # line {line}"


def _value(site: Site) -> str:
    statement = site.statement
    value = statement.value if isinstance(statement, (cst.Assign, cst.AnnAssign)) else None
    return "..." if value is None or text_of(value) else one_line(site.code(value))
