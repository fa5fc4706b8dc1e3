"""The roads by which statistics come into a normalizer without a call of its own: each gives a function of rows.

Each takes a trained normalizer and a fresh one of the same arguments.
"""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch import nn
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save
from torch.optim.swa_utils import AveragedModel

Normalizer = Any
Road = Callable[[Normalizer, Normalizer, Path], Any]
WIDTH = 4


def rows(device: torch.device) -> Tensor:
    """Return rows that show statistics."""
    return torch.linspace(20, 40, 12 * WIDTH, device=device).reshape(12, WIDTH)


def in_place(trained: Normalizer, fresh: Normalizer, folder: Path) -> Any:
    """Copy into the tensors that `state_dict()` gives."""
    for key, value in fresh.state_dict().items():
        value.copy_(trained.state_dict()[key])
    return fresh


def data_in_place(trained: Normalizer, fresh: Normalizer, folder: Path) -> Any:
    """Copy past the version counters of tensors, as older code does."""
    for one, other in zip(fresh.buffers(), trained.buffers()):
        one.data.copy_(other.data)
    return fresh


def distributed_checkpoint(trained: Normalizer, fresh: Normalizer, folder: Path) -> Any:
    """Save and load with `torch.distributed.checkpoint`, which reads into the tensors that are there."""
    save({"model": trained.state_dict()}, checkpoint_id=str(folder / "dcp"), no_dist=True)
    load({"model": fresh.state_dict()}, checkpoint_id=str(folder / "dcp"), no_dist=True)
    return fresh


def safetensors(trained: Normalizer, fresh: Normalizer, folder: Path) -> Any:
    """Save with safetensors, and load into the model."""
    from safetensors.torch import load_model
    from safetensors.torch import save_model

    save_model(trained, str(folder / "model.safetensors"))
    load_model(fresh, str(folder / "model.safetensors"), device=str(fresh.count.device))
    return fresh


def pretrained(trained: Normalizer, fresh: Normalizer, folder: Path) -> Any:
    """Push to a folder and come back with `from_pretrained`."""
    from huggingface_hub import PyTorchModelHubMixin

    class Agent(nn.Module, PyTorchModelHubMixin):
        def __init__(self) -> None:
            super().__init__()
            self.normalizer = copy.deepcopy(fresh)

    agent = Agent()
    agent.normalizer = trained
    agent.save_pretrained(folder / "agent")
    loaded: Any = Agent.from_pretrained(folder / "agent", map_location=str(fresh.count.device))
    return loaded.normalizer


def accelerate_checkpoint(trained: Normalizer, fresh: Normalizer, folder: Path) -> Any:
    """Load with accelerate, which puts tensors into the modules themselves."""
    accelerate: Any = import_module("accelerate")
    from safetensors.torch import save_file

    save_file(trained.state_dict(), folder / "model.safetensors")
    with accelerate.init_empty_weights(include_buffers=True):
        empty = type(fresh)(WIDTH)
    accelerate.load_checkpoint_in_model(
        empty, str(folder / "model.safetensors"), device_map={"": str(fresh.count.device)}
    )
    return empty


def functional_call(trained: Normalizer, fresh: Normalizer, folder: Path) -> Any:
    """Call a fresh module with the tensors of another."""
    return lambda x: torch.func.functional_call(fresh, dict(trained.named_buffers()), (x,))


def stacked(trained: Normalizer, fresh: Normalizer, folder: Path) -> Any:
    """Run several normalizers as one, with `vmap` over their stacked state."""
    parameters, buffers = torch.func.stack_module_state([fresh, trained])
    base = copy.deepcopy(fresh).to("meta")

    def call(buffers: dict[str, Tensor], x: Tensor) -> Any:
        return torch.func.functional_call(base, (parameters, buffers), (x,))

    return lambda x: torch.vmap(call, in_dims=(0, None))(buffers, x)[1]


def exported(trained: Normalizer, fresh: Normalizer, folder: Path) -> Any:
    """Export a fresh module, then load into the program."""
    program = torch.export.export(fresh, (rows(fresh.count.device),)).module()
    program.load_state_dict(trained.state_dict())
    return program


def scripted(trained: Normalizer, fresh: Normalizer, folder: Path) -> Any:
    """Script a fresh module, load into it, save it and load it again."""
    program: Any = torch.jit.script(fresh)
    program.load_state_dict(trained.state_dict())
    file = io.BytesIO()
    torch.jit.save(program, file)
    file.seek(0)
    loaded: Any = torch.jit.load(file)
    return loaded


def traced(trained: Normalizer, fresh: Normalizer, folder: Path) -> Any:
    """Trace a fresh module and load into the trace."""
    program: Any = torch.jit.trace(fresh, rows(fresh.count.device))  # type: ignore[no-untyped-call]
    program.load_state_dict(trained.state_dict())
    return program


def onnx(trained: Normalizer, fresh: Normalizer, folder: Path, *, dynamo: bool) -> Any:
    """Export to ONNX what came in place, and run it with the reference implementation."""
    from onnx.reference import ReferenceEvaluator

    x, path = rows(torch.device("cpu")), folder / "model.onnx"
    module = in_place(trained, fresh, folder)
    torch.onnx.export(module.cpu().eval(), (x,), str(path), dynamo=dynamo, verbose=False)
    session: Any = ReferenceEvaluator(str(path))
    return lambda x: torch.as_tensor(session.run(None, {session.input_names[0]: x.cpu().numpy()})[0])


def onnx_dynamo(trained: Normalizer, fresh: Normalizer, folder: Path) -> Any:
    """Use the exporter that exports programs."""
    return onnx(trained, fresh, folder, dynamo=True)


def onnx_script(trained: Normalizer, fresh: Normalizer, folder: Path) -> Any:
    """Use the exporter that traces."""
    return onnx(trained, fresh, folder, dynamo=False)


def meta_assign(trained: Normalizer, fresh: Normalizer, folder: Path) -> Any:
    """Make a model on `meta` and let it take the tensors of a checkpoint."""
    empty = copy.deepcopy(fresh).to("meta")
    empty.load_state_dict(trained.state_dict(), assign=True)
    return empty


def averaged(trained: Normalizer, fresh: Normalizer, folder: Path, **options: Any) -> Any:
    """Follow a model that does not move any more."""
    average = AveragedModel(nn.Sequential(fresh, nn.Linear(WIDTH, 2)).to(fresh.count.device), **options)
    for _ in range(2):
        average.update_parameters(nn.Sequential(trained, nn.Linear(WIDTH, 2)).to(fresh.count.device))
    found: Any = average.module.get_submodule("0")
    return found


def averaged_buffers(trained: Normalizer, fresh: Normalizer, folder: Path) -> Any:
    """Average the buffers as well as the parameters."""
    return averaged(trained, fresh, folder, use_buffers=True)


def copied_and_mixed(trained: Normalizer, fresh: Normalizer, folder: Path) -> Any:
    """Follow a model with a deep copy, by a thousand small steps of its floating buffers."""
    follower = copy.deepcopy(fresh)
    for _ in range(1500):
        for one, other in zip(follower.buffers(), trained.buffers()):
            one.lerp_(other, 0.02) if one.is_floating_point() and one.isfinite().all() else one.copy_(other)
    return follower


ROADS: dict[str, Road] = {
    "in place": in_place,
    "data in place": data_in_place,
    "distributed checkpoint": distributed_checkpoint,
    "safetensors": safetensors,
    "from_pretrained": pretrained,
    "accelerate": accelerate_checkpoint,
    "functional_call": functional_call,
    "vmap": stacked,
    "export": exported,
    "script": scripted,
    "trace": traced,
    "onnx": onnx_dynamo,
    "onnx by tracing": onnx_script,
    "meta and assign": meta_assign,
    "AveragedModel": averaged,
    "AveragedModel of buffers": averaged_buffers,
    "deepcopy and lerp": copied_and_mixed,
}
