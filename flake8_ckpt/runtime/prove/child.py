"""The process that runs the user's code: import the file, make the class, answer the questions."""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path

from flake8_ckpt.runtime.prove.records import Answer
from flake8_ckpt.runtime.prove.records import Outcome
from flake8_ckpt.runtime.prove.records import read_request
from flake8_ckpt.runtime.prove.records import write_outcome

# The parent ends the process at 30 seconds; whatever is not answered before is said to be out of time.
SECONDS = 24.0


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
    from flake8_ckpt.runtime.prove.answering import answers
    from flake8_ckpt.runtime.prove.walls import wall_in

    warnings.simplefilter("ignore")
    walls = wall_in(str(path.parent))
    found: list[Answer] = []
    for each in answers(request, deadline):
        found.append(each)
        write_outcome(Outcome(tuple(found), walls), path)


if __name__ == "__main__":
    main(sys.argv[1:])
