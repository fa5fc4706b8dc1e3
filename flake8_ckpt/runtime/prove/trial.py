"""Answer one question about one class: make it, change it, save it, load it, and look for the attribute."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from flake8_ckpt.runtime.prove.changes import changed_by_hand
from flake8_ckpt.runtime.prove.changes import trained
from flake8_ckpt.runtime.prove.codes import BY_HAND
from flake8_ckpt.runtime.prove.codes import MOVED
from flake8_ckpt.runtime.prove.codes import OVERWRITTEN
from flake8_ckpt.runtime.prove.codes import PREFIXED
from flake8_ckpt.runtime.prove.codes import SAVED
from flake8_ckpt.runtime.prove.codes import TRAINED
from flake8_ckpt.runtime.prove.construction import Recipe
from flake8_ckpt.runtime.prove.exercise import Exercise
from flake8_ckpt.runtime.prove.exercise import Unchanged
from flake8_ckpt.runtime.prove.exercise import find_exercise
from flake8_ckpt.runtime.prove.exercise import part_of
from flake8_ckpt.runtime.prove.pairs import STATES
from flake8_ckpt.runtime.prove.pairs import Undecided
from flake8_ckpt.runtime.prove.pairs import has
from flake8_ckpt.runtime.prove.pairs import pair_of
from flake8_ckpt.runtime.prove.records import Answer
from flake8_ckpt.runtime.prove.records import Question
from flake8_ckpt.runtime.verifier.compare import is_below
from flake8_ckpt.runtime.verifier.compatible import IncompatibleCheckpoint
from flake8_ckpt.runtime.verifier.compatible import load_compatible
from flake8_ckpt.runtime.verifier.objects.snapshot import same_snapshot
from flake8_ckpt.runtime.verifier.problem import Problem
from flake8_ckpt.runtime.verifier.problem import one_line
from flake8_ckpt.runtime.verifier.report import Report
from flake8_ckpt.runtime.verifier.roundtrip import verify_roundtrip

MOST_LOST = 5
NOT_BACK = ("lost", "changed", "unread", "renewed")
Act = Callable[[Any], object]


@dataclass(frozen=True)
class Run:
    """What is done to an object before it is saved, in words too, and why that is enough."""

    act: Act
    text: str
    note: str = ""


@dataclass(frozen=True)
class Trial:
    """One way to make the object, until when there is time, and the file of an older state."""

    recipe: Recipe
    deadline: float
    state: str = ""
    is_fixed: bool = False


def answer(question: Question, trial: Trial) -> Answer:
    """Return whether what the question calls lost is lost; raise `Undecided` or `Unchanged`."""
    if question.code in MOVED:
        return _moved(question, trial)
    if question.code in OVERWRITTEN:
        return _overwritten(question, trial)
    if question.code in PREFIXED:
        return _prefixed(trial)
    return _round_trip(question, trial)


def _round_trip(question: Question, trial: Trial) -> Answer:
    name, recipe = question.attribute, trial.recipe
    run = _run_for(question, trial)
    report = _verified(recipe, run)
    lost = [problem for problem in (*report.problems, *report.notes) if _concerns(problem, name)]
    refused = next((problem for problem in report.problems if problem.kind == "refused"), None)
    if not lost and refused is not None and isinstance(recipe.make(), nn.Module):
        # Something else keeps the file from loading; what it has of this attribute is asked all the same.
        report = verify_roundtrip(recipe.make, exercise=run.act, save=_save_state, load=_load_leniently)
        lost = [problem for problem in report.problems if _concerns(problem, name)]
    notes = (*filter(None, [run.note, _influence(lost)]), *_beside(report, lost))
    if lost:
        _keep(trial, run.act)
        return Answer("proven", "", str(recipe), run.text, _lines(lost), notes)
    if refused is not None:
        raise Undecided(f"{refused.path}: {refused.found}")
    return Answer(
        "refuted", f"'{name}' comes back as it was", str(recipe), run.text, (), notes, _older(trial)
    )


def _run_for(question: Question, trial: Trial) -> Run:
    """Return what gives the attribute another value than a new object has; raise where nothing does."""
    name, recipe = question.attribute, trial.recipe
    training = Run(partial(trained, attribute=name), f"a step of training on '{name}'")
    if question.code in TRAINED and part_of(recipe.make(), name):
        if _is_trainable(recipe.make(), name):
            return training
        raise Undecided(f"nothing in '{name}' is trainable")
    if question.code in SAVED:
        return _by_hand(recipe, name)
    try:
        found = find_exercise(recipe, name, trial.deadline)
    except Unchanged:
        if part_of(recipe.make(), name) and _is_trainable(recipe.make(), name):
            return training
        if not same_snapshot(part_of(recipe.make(), name), part_of(recipe.make(), name)):
            return Run(_nothing, "", "each new object draws it anew")
        if question.code in BY_HAND:
            return _by_hand(recipe, name)
        raise
    return Run(found, str(found))


def _by_hand(recipe: Recipe, name: str) -> Run:
    """Return a change of what the attribute holds: what is asked is whether it is saved, not what changes it."""
    made = recipe.make()
    before = part_of(made, name)
    if not before:
        raise Undecided(f"it has no attribute '{name}' once it is made")
    changed_by_hand(made, name)
    if same_snapshot(before, part_of(made, name)):
        raise Undecided(f"'{name}' holds no numbers that could be changed")
    return Run(partial(changed_by_hand, attribute=name), f"a change of '{name}' by hand")


def _nothing(owner: Any) -> None:
    """Leave an object as it is."""


def _is_trainable(made: Any, name: str) -> bool:
    before = part_of(made, name)
    trained(made, name)
    return not same_snapshot(before, part_of(made, name))


def _save_state(made: nn.Module, path: Path) -> None:
    torch.save(made.state_dict(), path)


def _load_leniently(made: nn.Module, path: Path) -> None:
    made.load_state_dict(torch.load(path, weights_only=False), strict=False)


def _influence(lost: Sequence[Problem]) -> str:
    """Return a note where going on does the same without what is lost."""
    kinds = {problem.kind for problem in lost}
    if kinds == {"renewed"}:
        return "the same call once more made it anew, without its old value: does anything else read that?"
    return "the same call once more gave the same without it: what reads it?" if kinds == {"unread"} else ""


def _verified(recipe: Recipe, run: Run) -> Report:
    """Return the report of a round trip through the pair of methods that the class has."""
    made, exercise = recipe.make(), run.act
    going_on = exercise if isinstance(exercise, Exercise) else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if has(made, STATES[0]):
            return verify_roundtrip(recipe.make, exercise=exercise, continue_with=going_on, via="torch")
        save, load = pair_of(made)
        return verify_roundtrip(recipe.make, exercise=exercise, continue_with=going_on, save=save, load=load)


def _concerns(problem: Problem, name: str) -> bool:
    """Tell whether a problem is about an attribute of the object, or refuses to load because of it."""
    if problem.kind == "refused":
        return any(f"{quote}{name}{end}" in problem.found for quote in "\"'" for end in "\"'.")
    is_same = problem.path == name or is_below(problem.path, [name])
    return is_same and problem.kind in NOT_BACK


def _lines(problems: Sequence[Problem]) -> tuple[str, ...]:
    lines = [
        problem.found
        if problem.kind == "refused"
        else f"lost {problem.path}: was {problem.expected}; {problem.found}"
        for problem in problems[:MOST_LOST]
    ]
    return tuple(lines)


def _beside(report: Report, lost: Sequence[Problem]) -> tuple[str, ...]:
    """Return what else of the object is lost, by the names of its attributes."""
    others = [each for each in report.problems if each not in lost and each.kind in NOT_BACK[:2]]
    names = dict.fromkeys(each.path.partition(".")[0].partition("[")[0] for each in others)
    mine = {each.path.partition(".")[0].partition("[")[0] for each in lost}
    rest = [name for name in names if name not in mine]
    return (f"also lost: {', '.join(rest[:MOST_LOST])}",) if rest else ()


def _keep(trial: Trial, act: Act) -> None:
    """Write the state as it is before a fix, for the fixed class to load."""
    made = trial.recipe.make()
    if trial.state and not trial.is_fixed and isinstance(made, nn.Module):
        act(made)
        torch.save(made.state_dict(), trial.state)


def _older(trial: Trial) -> str:
    """Load a state from before a fix into the fixed class, and say how that goes."""
    if not (trial.is_fixed and trial.state and Path(trial.state).exists()) or trial.recipe.moves:
        return ""
    made, state = trial.recipe.make(), torch.load(trial.state, weights_only=False)
    try:
        copy.deepcopy(made).load_state_dict(state)
    except Exception:
        return _compatible(made, state)
    return "load as before"


def _compatible(made: nn.Module, state: dict[str, Any]) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            record = load_compatible(
                made, state, added=[key for key in made.state_dict() if key not in state]
            )
    except IncompatibleCheckpoint as error:
        if "cannot be copied" in str(error):
            return ""
        return f"not even load_compatible(...) takes them: {one_line(error)}"
    more = f" and {len(record.filled) - MOST_LOST} more" if record.filled[MOST_LOST:] else ""
    filled = f"{', '.join(record.filled[:MOST_LOST])}{more}"
    return f"load_compatible(model, state) takes them, fresh values for {filled}"


def _moved(question: Question, trial: Trial) -> Answer:
    """Move the object to another device, and see whether the attribute goes along."""
    made = trial.recipe.make()
    held = _tensors(getattr(made, question.attribute, None))
    ran = ".to('meta')"
    if not held:
        found = find_exercise(trial.recipe, question.attribute, trial.deadline)
        found(made)
        held, ran = _tensors(getattr(made, question.attribute, None)), f"{found}, .to('meta')"
    if not held:
        raise Undecided(f"'{question.attribute}' holds no tensor")
    try:
        moved = made.to("meta")
    except Exception as error:
        raise Undecided(f".to('meta'): {one_line(error)}") from error
    after = _tensors(getattr(moved, question.attribute, None))
    built = str(trial.recipe)
    if after and all(each.is_meta for each in after):
        return Answer(
            "refuted", f"'{question.attribute}' goes along with .to()", built, ran, (), (), _older(trial)
        )
    place = next(str(each.device) for each in after if not each.is_meta)
    lost = f"{question.attribute} stays on {place} when the module moves"
    _keep(trial, _nothing)
    return Answer("proven", "", built, ran, (lost,))


def _tensors(value: Any) -> list[torch.Tensor]:
    if isinstance(value, dict):
        value = list(value.values())
    values = value if isinstance(value, (list, tuple)) else [value]
    return [each for each in values if isinstance(each, torch.Tensor)]


def _overwritten(question: Question, trial: Trial) -> Answer:
    """See whether the name of a buffer stands for nothing once the object is made."""
    made, built = trial.recipe.make(), str(trial.recipe)
    if getattr(made, question.attribute, None) is None:
        return Answer("proven", "", built, "", (f"{question.attribute} is None",))
    return Answer("refuted", f"'{question.attribute}' has a value", built)


def _prefixed(trial: Trial) -> Answer:
    """Put the object into another module, and see whether its keys follow."""
    made, built = trial.recipe.make(), str(trial.recipe)
    if not isinstance(made, nn.Module):
        raise Undecided("it is no module")
    outer = nn.Module()
    outer.inner = made
    keys = [key for key in outer.state_dict() if not key.startswith("inner.")]
    if keys:
        return Answer(
            "proven", "", built, "state_dict() of a module that holds it", (f"key {keys[0]!r} has no prefix",)
        )
    return Answer("refuted", "all its keys have the prefix", built, "state_dict() of a module that holds it")
