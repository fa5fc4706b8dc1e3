"""What the `state_dict()` of a module class holds, and what its objects keep beside it."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator

from flake8_ckpt.findings import Finding
from flake8_ckpt.linked_project import Project
from flake8_ckpt.modules.class_state import ClassState


def state_of(project: Project, path: str, class_name: str) -> ClassState | None:
    """Return the view of a module class that stands in a file, None where it is no module or sets nothing."""
    identity = f"{path}:{class_name}"
    return next((each for each in project.modules.classes if each.identity == identity), None)


def class_story(state: ClassState, findings: Iterable[Finding]) -> Iterator[str]:
    """Yield what a class saves, and what the findings in it say that it does not."""
    held = sorted(each for each in {*state.changes, *state.registered_names} if state.registered(each))
    what = _listed(held) if held else "nothing of its own"
    yield f"**What is saved**: `state_dict()` of `{state.name}` holds {what}."
    lost = dict.fromkeys(each.attribute for each in findings if each.attribute and each.attribute not in held)
    if lost:
        yield f"**What is not**: {_listed(lost)}."


def unknown_bases(project: Project, path: str, class_name: str) -> list[str]:
    """Return the ancestors of a class that come from outside of the project."""
    classes = project.symbols.classes
    identity = f"{path}:{class_name}"
    if identity not in classes:
        return []
    return [each for each in project.hierarchy.ancestors(identity)[1:] if each not in classes]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{each}`" for each in names)
