"""Start the recorder: at once what sees classes and imports, the rest when torch has been imported."""

from __future__ import annotations

import atexit
import os
import sys
from typing import Any

from flake8_ckpt_recorder import births
from flake8_ckpt_recorder import tracebacks
from flake8_ckpt_recorder.imports import AfterImport
from flake8_ckpt_recorder.imports import install
from flake8_ckpt_recorder.journal import Journal
from flake8_ckpt_recorder.loads import Loads
from flake8_ckpt_recorder.recorder import Recorder
from flake8_ckpt_recorder.saves import hook_saves
from flake8_ckpt_recorder.steps import hook_births
from flake8_ckpt_recorder.steps import hook_states
from flake8_ckpt_recorder.steps import hook_steps


def start(folder: str) -> None:
    """Start recording into a folder of journals."""
    tracebacks.install()
    journal = Journal(folder)
    recorder = Recorder(journal)
    recorder.births.install()
    imports = install()
    loads = Loads(recorder)
    imports.after("torch", journal.guard(lambda torch: _torch_is_there(recorder, imports, loads, torch)))
    loads.install(imports)
    hook_saves(recorder, imports)
    _see_the_end(recorder, imports)
    _hello(recorder)


def _torch_is_there(recorder: Recorder, imports: AfterImport, loads: Loads, torch: Any) -> None:
    setattr(births, "is_compiling", torch.compiler.is_compiling)
    recorder.births.wrap_known()
    hook_steps(recorder, loads)
    hook_births(recorder, imports)
    hook_states(recorder, imports)


def _hello(recorder: Recorder) -> None:
    rank = os.environ.get("RANK", "")
    recorder.journal.write(
        "hello",
        pid=os.getpid(),
        parent=os.getppid(),
        rank=int(rank) if rank.isdigit() else None,
        python=sys.version.split()[0],
        folder=os.getcwd(),
    )


def _see_the_end(recorder: Recorder, imports: AfterImport) -> None:
    guard = recorder.journal.guard
    finish = guard(recorder.exit)
    atexit.register(finish)

    def forked() -> None:
        recorder.forget()
        _hello(recorder)

    def in_children(util: Any) -> None:
        # A child of multiprocessing ends without exit handlers, and begins by forgetting its parent's finalizers.
        util.register_after_fork(recorder, guard(lambda _: util.Finalize(None, finish, exitpriority=0)))

    os.register_at_fork(after_in_child=guard(forked))
    imports.after("multiprocessing.util", guard(in_children))
