"""The running normalizers of other packages, each made as it is there, behind one interface."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from importlib.util import module_from_spec
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import Any

from torch import Tensor

# The column that the ratios of speed are taken of.
REFERENCE = "rsl_rl"


@dataclass(frozen=True)
class Entrant:
    """One normalizer: `step` takes a batch into the statistics and normalizes it, `normalize` does only that.

    Both take float32 of shape `(n, width)`; `statistics` gives mean and standard deviation, shape `(width,)`.
    `update` is there where it is a method of its own.
    """

    step: Callable[[Tensor], Any]
    normalize: Callable[[Tensor], Any]
    statistics: Callable[[], tuple[Any, Any]]
    update: Callable[[Tensor], Any] | None = None


Maker = Callable[[int, str, float], Entrant]


@dataclass(frozen=True)
class Peer:
    """A normalizer that can be made here: from a width, a device and an epsilon."""

    name: str
    about: str
    make: Maker


@dataclass(frozen=True)
class Source:
    """Where a normalizer comes from: what is installed, and the module that has its class."""

    name: str
    distribution: str
    module: str
    make: Callable[[Any, int, str, float], Entrant]
    devices: tuple[str, ...] = ("cpu", "cuda")


def make_rsl_rl(module: Any, width: int, device: str, epsilon: float) -> Entrant:
    """Make an `EmpiricalNormalization`."""
    model = module.EmpiricalNormalization(width, eps=epsilon).to(device)

    def step(x: Tensor) -> Any:
        model.update(x)
        return model(x)

    return Entrant(step, model, lambda: (model.mean, model.std), model.update)


def make_skrl(module: Any, width: int, device: str, epsilon: float) -> Entrant:
    """Make a `RunningStandardScaler`."""
    model = module.RunningStandardScaler(width, epsilon=epsilon, device=device)
    statistics = lambda: (model.running_mean, model.running_variance.sqrt())  # noqa: E731
    return Entrant(partial(model, train=True), model, statistics)


def make_rl_games(module: Any, width: int, device: str, epsilon: float) -> Entrant:
    """Make a `RunningMeanStd`, once in training mode and once, of the same buffers, in evaluation mode."""
    with contextlib.redirect_stdout(io.StringIO()):
        model = module.RunningMeanStd((width,), epsilon=epsilon).to(device)

    def normalize(x: Tensor) -> Any:
        model.eval()
        y = model(x)
        model.train()
        return y

    return Entrant(model, normalize, lambda: (model.running_mean, model.running_var.sqrt()))


def make_torchrl(module: Any, width: int, device: str, epsilon: float) -> Entrant:
    """Make a `VecNormV2` that weighs all rows alike, as the others do: `decay=1.0`.

    Its epsilon is a floor under the standard deviation, not added to it, so it keeps its own.
    """
    make_batch = import_module("tensordict").TensorDict
    model = module.VecNormV2(["x"], ["y"], decay=1.0, reduce_batch_dims=True)

    def step(x: Tensor) -> Any:
        batch = make_batch({"x": x}, batch_size=x.shape[:1])
        return model._step(batch, batch)["y"]

    def normalize(x: Tensor) -> Any:
        model.freeze()
        y = step(x)
        model.unfreeze()
        return y

    return Entrant(step, normalize, lambda: (model.loc["x"], model.scale["x"]))


def make_environment(width: int) -> Any:
    """Return an environment that is never run: the numpy peers ask it for the shape of its observations."""
    gymnasium = import_module("gymnasium")
    spaces = gymnasium.spaces
    space = spaces.Box(-float("inf"), float("inf"), (width,))
    members = {"observation_space": space, "action_space": spaces.Discrete(2)}
    return type("Environment", (gymnasium.Env,), members)()


def make_gymnasium(module: Any, width: int, device: str, epsilon: float) -> Entrant:
    """Make the vector wrapper `NormalizeObservation`."""
    envs = import_module("gymnasium.vector").SyncVectorEnv([lambda: make_environment(width)])
    model = module.NormalizeObservation(envs, epsilon=epsilon)

    def normalize(x: Tensor) -> Any:
        model.update_running_mean = False
        y = model.observations(x.numpy())
        model.update_running_mean = True
        return y

    statistics = lambda: (model.obs_rms.mean, model.obs_rms.var**0.5)  # noqa: E731
    return Entrant(lambda x: model.observations(x.numpy()), normalize, statistics)


def make_stable_baselines3(module: Any, width: int, device: str, epsilon: float) -> Entrant:
    """Make a `VecNormalize`."""
    model = module.VecNormalize(module.DummyVecEnv([lambda: make_environment(width)]), epsilon=epsilon)

    def step(x: Tensor) -> Any:
        model.obs_rms.update(x.numpy())
        return model.normalize_obs(x.numpy())

    statistics = lambda: (model.obs_rms.mean, model.obs_rms.var**0.5)  # noqa: E731
    return Entrant(step, lambda x: model.normalize_obs(x.numpy()), statistics)


SOURCES = (
    Source("rsl_rl", "rsl-rl-lib", "rsl_rl.modules.normalization", make_rsl_rl),
    Source("skrl", "skrl", "skrl.resources.preprocessors.torch.running_standard_scaler", make_skrl),
    Source("rl_games", "rl-games", "rl_games.algos_torch.running_mean_std", make_rl_games),
    Source("torchrl", "torchrl", "torchrl.envs.transforms", make_torchrl),
    Source("gymnasium", "gymnasium", "gymnasium.wrappers.vector", make_gymnasium, ("cpu",)),
    Source("sb3", "stable-baselines3", "stable_baselines3.common.vec_env", make_stable_baselines3, ("cpu",)),
)


def find_peers(device: str, sources: tuple[Source, ...] = SOURCES) -> tuple[list[Peer], dict[str, str]]:
    """Return the peers that can be made here, and of each other one why it cannot."""
    peers, absent = [], {}
    for source in sources:
        if device not in source.devices:
            absent[source.name] = f"computes with numpy, so not on {device}"
            continue
        try:
            peers.append(open_source(source, device))
        # What is installed may fail in any way, and is then as good as absent.
        except Exception as error:
            reason = str(error).partition("\n")[0]
            absent[source.name] = f"{type(error).__name__}: {reason}"
    return peers, absent


def open_source(source: Source, device: str) -> Peer:
    """Import a normalizer and make one, to see that it can be made."""
    module, note = load_module(source.module)
    make = partial(source.make, module)
    make(2, device, 1e-8)
    return Peer(source.name, f"{source.distribution} {version(source.distribution)}{note}", make)


def load_module(name: str) -> tuple[Any, str]:
    """Import a module, or only its file where its package needs more than is installed; say which it was."""
    try:
        return import_module(name), ""
    except ImportError as error:
        root, *inner = name.split(".")
        package = find_spec(root)
        if package is None or not package.submodule_search_locations:
            raise
        file = Path(package.submodule_search_locations[0], *inner).with_suffix(".py")
        found = spec_from_file_location(f"{root}_{inner[-1]}", file)
        if found is None or found.loader is None or not file.is_file():
            raise
        module = sys.modules[found.name] = module_from_spec(found)
        found.loader.exec_module(module)
        return module, f", only {file.name}: the package as installed fails with {error}"
