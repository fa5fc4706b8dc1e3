"""How the programs on the pages of the CKP1 rules are driven on a device, and what is wrong with each bad one."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch import optim

import flake8_ckpt

RULES = Path(flake8_ckpt.__file__).parent / "rules"
PROGRAM = re.compile(r"^## (Bad|Good)\n+```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
Step = Callable[[Any, torch.device], object]


@dataclass(frozen=True)
class Row:
    """How to make the class of a page and to let it go on, and what the bad one does.

    `problems` are the kinds and paths that the verifier reports, `left` the paths of the tensors that `.to()`
    leaves on the CPU, and `fails` what using it raises on any device. It `clashes` if a step on another device
    than the CPU raises because of what was left behind. `inside` puts the module into a trained one.
    """

    name: str
    step: Step
    bad: tuple[object, ...] = ()
    good: tuple[object, ...] | None = None
    problems: frozenset[tuple[str, str]] = frozenset()
    left: frozenset[str] = frozenset()
    clashes: bool = False
    fails: str = ""
    inside: Callable[[nn.Module], nn.Module] = lambda module: module
    via: tuple[str, ...] = ("torch", "safetensors", "mmap")

    def step_on(self, device: torch.device) -> Callable[[Any], object]:
        """Return the step on a device, as the verifier takes it."""
        return lambda module: self.step(module, device)

    def make(self, heading: str, source: str) -> Callable[[], nn.Module]:
        """Return a factory of the class as the program under a heading has it."""
        names: dict[str, Any] = {"__name__": heading}
        exec(compile(source, f"{self.name} {heading}", "exec"), names)
        arguments = self.bad if heading == "Bad" or self.good is None else self.good
        return lambda: self.inside(names[self.name](*arguments))


def pages() -> dict[str, dict[str, str]]:
    """Return the programs of each CKP1 rule by heading; the files are read, because importing them needs libcst."""
    found = {}
    for path in sorted(RULES.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        code = re.search(r"""^RULE = Rule\(__name__, "(CKP1\d\d)\"""", path.read_text("utf-8"), re.MULTILINE)
        if code:
            found[code[1]] = dict(PROGRAM.findall(ast.get_docstring(tree) or ""))
    return found


def lost(*paths: str) -> frozenset[tuple[str, str]]:
    """Return what the verifier says of values that come back as in a new object."""
    return frozenset(("lost", path) for path in paths)


def train(model: nn.Module, batch: torch.Tensor, *by_hand: torch.Tensor) -> torch.Tensor:
    """Take one step of gradient descent, also on tensors that the module does not know, and return the output."""
    unique = {id(each): each for each in (*model.parameters(), *by_hand)}
    optimizer = optim.SGD(list(unique.values()), lr=0.1)
    optimizer.zero_grad()
    output: torch.Tensor = model(batch)
    output.square().mean().backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return output.detach()


def step_normalizer(module: Any, device: torch.device) -> object:
    """Update with observations around 5."""
    observations = torch.full((8, 3), 5.0, device=device)
    module.update(observations)
    return module(observations)


def step_smoothing(model: Any, device: torch.device) -> object:
    """Train the layer before the constant."""
    return train(model, torch.linspace(0, 1, 8, device=device).expand(2, 1, 8))


def step_policy(policy: Any, device: torch.device) -> object:
    """Train all, the deviation by hand."""
    return train(policy, torch.ones(8, 4, device=device), policy.log_std)


def step_embedding(module: Any, device: torch.device) -> object:
    """Change one of the embeddings."""
    with torch.no_grad():
        module.embeddings[0].add_(7.0)
    return module(torch.ones(2, 3, device=device), 0)


def step_ensemble(ensemble: Any, device: torch.device) -> object:
    """Train all heads by hand."""
    return train(
        ensemble, torch.ones(2, 4, device=device), *(w for head in ensemble.heads for w in head.parameters())
    )


def step_scaler(scaler: Any, device: torch.device) -> object:
    """Update with rewards of 50, as an array where the statistics are one."""
    rewards = torch.full((8, 2), 50.0, device=device)
    scaler.update(rewards if isinstance(scaler.scale, torch.Tensor) else rewards.cpu().numpy())
    return scaler(torch.ones(2, device=device), 0)


def step_codebook(codebook: Any, device: torch.device) -> object:
    """Look up three of four codes."""
    codebook(torch.tensor([0, 1, 1, 3], device=device))
    return codebook.unused()


def step_returns(module: Any, device: torch.device) -> object:
    """Fold in a reward of one in two environments."""
    return module(torch.ones(2, device=device), torch.zeros(2, device=device)).clone()


def step_norm(norm: Any, device: torch.device) -> object:
    """Normalize a batch, which initializes the layer if it is the first."""
    return norm(torch.full((8, 3), 5.0, device=device))


def step_whitening(whitening: Any, device: torch.device) -> object:
    """Whiten a batch, then take its mean as the new one."""
    batch = torch.full((2, 3), 5.0, device=device)
    output = whitening(batch)
    whitening.mean.copy_(batch.mean(dim=0))
    return output


def step_value(model: Any, device: torch.device) -> object:
    """Train the layer before the constant."""
    return train(model, torch.linspace(0, 1, 8, device=device).reshape(2, 4))


HEADS = ("heads[0].weight", "heads[0].bias", "heads[1].weight", "heads[1].bias")
ROWS = {
    "CKP101": Row(
        "ObservationNormalizer",
        step_normalizer,
        (3,),
        problems=lost("mean"),
        left=frozenset({"mean"}),
        clashes=True,
    ),
    # A constant comes back: what is wrong with it shows on another device only.
    "CKP102": Row(
        "Smoothing",
        step_smoothing,
        (3,),
        left=frozenset({"1.kernel"}),
        clashes=True,
        inside=lambda module: nn.Sequential(nn.Conv1d(1, 1, 1), module),
    ),
    "CKP103": Row(
        "GaussianPolicy",
        step_policy,
        (4, 2),
        problems=lost("log_std"),
        left=frozenset({"log_std"}),
        clashes=True,
    ),
    "CKP104": Row(
        "TaskEmbedding",
        step_embedding,
        (2, 3),
        problems=lost("embeddings[0]"),
        left=frozenset({"embeddings[0]", "embeddings[1]"}),
        clashes=True,
    ),
    "CKP105": Row(
        "QEnsemble", step_ensemble, (4, 2), problems=lost(*HEADS), left=frozenset(HEADS), clashes=True
    ),
    "CKP106": Row("RewardScaler", step_scaler, (2,), problems=lost("scale")),
    "CKP107": Row("Codebook", step_codebook, (4, 2), problems=lost("usage")),
    # A file of safetensors does not say where its tensors were, and a module without any cannot either.
    "CKP108": Row(
        "LazyNormalizer", step_normalizer, problems=frozenset({("refused", "load")}), via=("torch", "mmap")
    ),
    "CKP109": Row("DiscountedReturn", step_returns, good=(2,), problems=lost("returns")),
    "CKP110": Row("ActNorm", step_norm, (3,), problems=lost("initialized")),
    "CKP111": Row("Whitening", step_whitening, (3,), fails="NoneType"),
    # Moved by hand in each call, so that it works, and waits for the copy each time.
    "CKP112": Row(
        "CategoricalValue",
        step_value,
        (-10.0, 10.0, 51),
        left=frozenset({"1.support"}),
        inside=lambda module: nn.Sequential(nn.Linear(4, 51), module),
    ),
}
