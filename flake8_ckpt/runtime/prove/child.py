"""The process that runs the user's code: import the file, make the class, answer the questions."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flake8_ckpt.runtime.prove.records import Answer
from flake8_ckpt.runtime.prove.records import Outcome
from flake8_ckpt.runtime.prove.records import Question
from flake8_ckpt.runtime.prove.records import Request
from flake8_ckpt.runtime.prove.records import read_request
from flake8_ckpt.runtime.prove.records import write_outcome

# The parent ends the process at 30 seconds; whatever is not answered before is said to be out of time.
SECONDS = 24.0
MOST_RECIPES = 6


def main(arguments: list[str]) -> None:
    """Answer the request in one file with another."""
    deadline = time.monotonic() + SECONDS
    request, path = read_request(Path(arguments[0])), Path(arguments[1])
    try:
        import torch
    except ModuleNotFoundError:
        reason = "torch is not installed for this Python: pip install 'flake8-ckpt[runtime]'"
        write_outcome(Outcome((Answer("not built", reason),) * len(request.questions)), path)
        return
    torch.set_num_threads(1)
    from flake8_ckpt.runtime.prove.walls import wall_in

    warnings.simplefilter("ignore")
    walls = wall_in(str(path.parent))
    answers: list[Answer] = []
    for question in _answered(request, deadline):
        answers.append(question)
        write_outcome(Outcome(tuple(answers), walls), path)


def _answered(request: Request, deadline: float) -> Any:
    from flake8_ckpt.runtime.prove.construction import NotBuilt
    from flake8_ckpt.runtime.prove.source_file import NotImported
    from flake8_ckpt.runtime.prove.source_file import import_file

    try:
        module, source = import_file(Path(request.root), Path(request.path), request.text)
        kind = _class_in(module.__dict__, request.class_name)
    except (NotImported, SyntaxError, LookupError) as error:
        yield from (Answer("not built", str(error)) for _ in request.questions)
        return
    notes = [f"stand-ins for {', '.join(sorted(source.stand_ins.names))}"] if source.stand_ins.names else []
    notes += [f"left out {each}" for each in source.skipped[:3]]
    for question in request.questions:
        try:
            found = _one(question, kind, module.__dict__, request, deadline)
        except NotBuilt as error:
            found = Answer("not built", str(error))
        yield Answer(
            found.verdict,
            found.reason,
            found.built,
            found.ran,
            found.lost,
            (*found.notes, *notes),
            found.older,
        )


def _class_in(names: Mapping[str, Any], path: str) -> type:
    """Return a class by its name, which may lead through other classes."""
    value: Any = None
    for part in path.split("."):
        value = names.get(part) if value is None else getattr(value, part, None)
        if value is None:
            raise LookupError(f"the file has no class {path} once it is imported")
    if not isinstance(value, type):
        raise LookupError(f"{path} is no class once it is imported")
    return value


def _one(
    question: Question, kind: type, module: Mapping[str, Any], request: Request, deadline: float
) -> Answer:
    """Return the answer that the first way to make the object gives, or why none gives one."""
    from flake8_ckpt.runtime.prove.construction import recipes
    from flake8_ckpt.runtime.prove.exercise import Unchanged
    from flake8_ckpt.runtime.prove.trial import Trial
    from flake8_ckpt.runtime.prove.trial import Undecided
    from flake8_ckpt.runtime.prove.trial import answer

    reason, built = "", ""
    for number, (recipe, _) in enumerate(recipes(kind, request.calls, module)):
        if number == MOST_RECIPES or time.monotonic() > deadline:
            break
        try:
            return answer(question, Trial(recipe, deadline, request.state, request.is_fixed))
        except (Unchanged, Undecided) as error:
            reason, built = reason or str(error), built or str(recipe)
        except Exception as error:
            reason, built = reason or f"{type(error).__name__}: {error}", built or str(recipe)
    late = f"no answer within {SECONDS:g} s" if time.monotonic() > deadline and not reason else reason
    return Answer("not built", late, built)


if __name__ == "__main__":
    main(sys.argv[1:])
