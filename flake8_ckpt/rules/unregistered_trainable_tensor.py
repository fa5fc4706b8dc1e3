"""A tensor with `requires_grad=True` is a plain attribute: `parameters()` does not list it.

## What it does

Finds tensors made with `requires_grad=True` (or `requires_grad_()`) that are set as a plain attribute
of an `nn.Module` instead of an `nn.Parameter`.

## Why it matters

`optim.Adam(model.parameters())` never sees the tensor, so it stays at its first value while
everything around it trains.
If it is handed to the optimizer by hand it does train, and the checkpoint then leaves it out.

## Bad

```python
import torch
from torch import nn
from torch import optim


class GaussianPolicy(nn.Module):
    def __init__(self, observations: int, actions: int) -> None:
        super().__init__()
        self.mean = nn.Linear(observations, actions)
        self.log_std = torch.zeros(actions, requires_grad=True)

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        mean = self.mean(observation)
        return mean + self.log_std.exp() * torch.randn_like(mean)


policy = GaussianPolicy(4, 2)
optimizer = optim.SGD(policy.parameters(), lr=0.1)
policy(torch.ones(8, 4)).square().mean().backward()
optimizer.step()
assert policy.log_std.grad is not None
assert torch.equal(policy.log_std, torch.zeros(2))
assert "log_std" not in policy.state_dict()
```

## Good

```python
import torch
from torch import nn
from torch import optim


class GaussianPolicy(nn.Module):
    def __init__(self, observations: int, actions: int) -> None:
        super().__init__()
        self.mean = nn.Linear(observations, actions)
        self.log_std = nn.Parameter(torch.zeros(actions))

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        mean = self.mean(observation)
        return mean + self.log_std.exp() * torch.randn_like(mean)


policy = GaussianPolicy(4, 2)
optimizer = optim.SGD(policy.parameters(), lr=0.1)
policy(torch.ones(8, 4)).square().mean().backward()
optimizer.step()
assert not torch.equal(policy.log_std, torch.zeros(2))
assert "log_std" in policy.state_dict()
```

## Fix safety

Unsafe: a parameter adds a key to the `state_dict` and an entry to the optimizer, so older checkpoints
of both no longer load with `strict=True`, and training changes because the tensor now learns.

## When it stays silent

- The tensor becomes an `nn.Parameter`, or is registered under its name elsewhere.
- `requires_grad` is false, or is not known to be true.
- An optimizer is given the tensor itself, and no program loads the module to train on.
- It only gives `torch.utils.checkpoint.checkpoint` an argument that requires grad: nothing trains it.
- The class is not an `nn.Module`.

## References

- https://docs.pytorch.org/docs/stable/generated/torch.nn.parameter.Parameter.html
- https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.parameters
"""

from __future__ import annotations

from collections.abc import Iterator

from flake8_ckpt.findings import Finding
from flake8_ckpt.linked_project import Project
from flake8_ckpt.rules.base import Rule
from flake8_ckpt.rules.base import finding_at


def check(project: Project) -> Iterator[Finding]:
    """Report plain tensors that require grad."""
    for tensor in project.modules.plain_tensors:
        if not project.modules.is_used(tensor.state):
            continue
        if tensor.is_trainable and not (tensor.is_carried_by_hooks or tensor.is_only_handed_on):
            if project.losses.trained_apart.is_harmless(tensor.state.identity, tensor.name):
                continue
            message = (
                f"'{tensor.name}' requires grad but is not a Parameter:"
                " parameters() lacks it and it is not saved; use nn.Parameter(...)"
            )
            yield finding_at(RULE, tensor.writes, message, fix=tensor.parameter_fix)


RULE = Rule(__name__, "CKP103", check=check)
