"""The calls that write files: of torch, safetensors, pickle, numpy, joblib, stable-baselines3 and Fabric."""

from __future__ import annotations

import os
import sys
from typing import Any
from typing import Callable

from flake8_ckpt_recorder.imports import AfterImport
from flake8_ckpt_recorder.leaves import tensors_of
from flake8_ckpt_recorder.places import caller
from flake8_ckpt_recorder.places import file_of
from flake8_ckpt_recorder.places import is_project_file
from flake8_ckpt_recorder.recorder import Recorder
from flake8_ckpt_recorder.wrapping import wrap

DISTRIBUTED = "torch.distributed.checkpoint"
# Modules below a library that are named with it.
SHOWN = (DISTRIBUTED, "torch.jit")
# What is saved, and where to: of the arguments of a call.
Reader = Callable[[tuple[Any, ...], dict[str, Any]], tuple[Any, Any]]


def _arguments(value: Any, place: Any) -> Reader:
    """Return a reader of what stands at two positions, or under two names."""

    def read(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
        return _argument(args, kwargs, *value), _argument(args, kwargs, *place)

    return read


def _argument(args: tuple[Any, ...], kwargs: dict[str, Any], index: int, *names: str) -> Any:
    if index < len(args):
        return args[index]
    return next((kwargs[name] for name in names if name in kwargs), None)


def _everything(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """Read `numpy.savez(file, *arrays, **arrays)`."""
    return {**{str(index): each for index, each in enumerate(args[1:])}, **kwargs}, args[0] if args else None


def _zip_of_sb3(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
    names = ("save_path", "data", "params", "pytorch_variables")
    given = {**dict(zip(names, args)), **kwargs}
    return {name: given.get(name) for name in names[1:]}, given.get("save_path")


def _state_of_model(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """Read `safetensors.torch.save_model(model, filename)`, which writes what the model has registered."""
    model, target = _argument(args, kwargs, 0, "model"), _argument(args, kwargs, 1, "filename")
    return {name: value for name, _, _, value, _ in tensors_of(model)}, target


def _distributed(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """Read `torch.distributed.checkpoint.save(state_dict, checkpoint_id=folder)`, or with a writer of a folder."""
    writer = getattr(kwargs.get("storage_writer"), "__dict__", {})
    return _argument(args, kwargs, 0, "state_dict"), kwargs.get("checkpoint_id") or writer.get("path")


DUMP = _arguments((0, "obj", "value"), (1, "file", "filename", "fp"))
TENSORS = _arguments((0, "tensors"), (1, "filename"))
SAVES: tuple[tuple[str, str, Reader, bool], ...] = (
    ("torch.serialization", "save", _arguments((0, "obj"), (1, "f")), False),
    ("torch", "save", _arguments((0, "obj"), (1, "f")), False),
    ("torch.jit", "save", _arguments((0, "m"), (1, "f")), False),
    ("torch.distributed.checkpoint.state_dict_saver", "save", _distributed, False),
    ("torch.distributed.checkpoint.state_dict_saver", "async_save", _distributed, False),
    ("torch.distributed.checkpoint", "save", _distributed, False),
    ("torch.distributed.checkpoint", "async_save", _distributed, False),
    ("safetensors.torch", "save_file", TENSORS, False),
    ("safetensors.torch", "save_model", _state_of_model, False),
    ("pickle", "dump", DUMP, True),
    ("json", "dump", DUMP, True),
    ("numpy", "save", _arguments((1, "arr"), (0, "file")), True),
    ("numpy", "savez", _everything, True),
    ("numpy", "savez_compressed", _everything, True),
    ("joblib", "dump", DUMP, False),
    ("cloudpickle", "dump", DUMP, True),
    (
        "lightning_fabric.utilities.cloud_io",
        "_atomic_save",
        _arguments((0, "checkpoint"), (1, "filepath")),
        False,
    ),
    (
        "lightning.fabric.utilities.cloud_io",
        "_atomic_save",
        _arguments((0, "checkpoint"), (1, "filepath")),
        False,
    ),
    ("stable_baselines3.common.save_util", "save_to_zip_file", _zip_of_sb3, False),
    (
        "stable_baselines3.common.vec_env.vec_normalize",
        "VecNormalize.save",
        _arguments((0,), (1, "save_path")),
        False,
    ),
)


def hook_saves(recorder: Recorder, imports: AfterImport) -> None:
    """Wrap each call once its module is there."""
    for module, name, read, is_own in SAVES:
        imports.after(module, _wrapper(recorder, module, name, read, is_own))


def _wrapper(recorder: Recorder, module: str, name: str, read: Reader, is_own: bool) -> Callable[[Any], None]:
    """Return what wraps a call in its module; one that `is_own` counts only where the user's code makes it."""
    label = _label(module, name)

    def around(original: Any, *args: Any, **kwargs: Any) -> Any:
        depth = getattr(recorder.local, "depth", 0)
        if depth or is_own and not is_project_file(file_of(sys._getframe(2))):
            return original(*args, **kwargs)
        recorder.local.depth = depth + 1
        recorder.local.reduced = {}
        recorder.births.suspend_all()
        try:
            result = original(*args, **kwargs)
            _note(recorder, label, read, args, kwargs)
        finally:
            recorder.births.resume_all()
            recorder.local.depth = depth
        return result

    def hook(found: Any) -> None:
        *path, last = name.split(".")
        for part in path:
            found = getattr(found, part, None)
        if found is not None:
            wrap(found, last, around)

    guarded: Callable[[Any], None] = recorder.journal.guard(hook)
    return guarded


def _label(module: str, name: str) -> str:
    """Return what a user calls a call: without the modules in which a library keeps it."""
    known = next((each for each in SHOWN if module.startswith(each)), module.partition(".")[0])
    return f"{known}.{name.lstrip('_')}"


def _note(
    recorder: Recorder, label: str, read: Reader, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    if "torch" not in sys.modules:
        return
    try:
        value, target = read(args, kwargs)
        place = caller(2)
        # A thread of torch writes the copies that an `async_save` has made, which was noted.
        if place[1] or not label.startswith(DISTRIBUTED):
            recorder.saved(label, path_of(target), place, [("", value)])
    except Exception as error:
        recorder.journal.fault("saved", error)


def path_of(target: Any) -> str:
    """Return the path of what was written to, or an empty string."""
    if isinstance(target, (str, os.PathLike)):
        path = os.fspath(target)
    else:
        path = getattr(target, "name", "")
    if not isinstance(path, (str, bytes)):
        return ""
    return os.path.abspath(os.fsdecode(path)) if path else ""
