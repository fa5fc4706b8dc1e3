"""Scale gradients down where they are noisy."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn


class VarianceGradientScaler(nn.Module):
    """Moving averages of the gradients' mean and square, and the scale they give."""

    def __init__(self, beta: float = 0.99, alpha: float = 0.1, warmup_steps: int = 100) -> None:
        super().__init__()
        self.beta = beta
        self.alpha = alpha
        self.warmup_steps = warmup_steps
        self.register_buffer("step_count", torch.zeros((), dtype=torch.long))
        self.register_buffer("grad_mean_ema", torch.zeros(()))
        self.register_buffer("grad_square_ema", torch.zeros(()))

    @torch.no_grad()
    def update(self, gradients: torch.Tensor) -> None:
        beta = self.beta if self.step_count > 0 else 0.0
        self.grad_mean_ema = beta * self.grad_mean_ema + (1 - beta) * gradients.mean()
        self.grad_square_ema = beta * self.grad_square_ema + (1 - beta) * gradients.square().mean()
        self.step_count += 1

    def scale(self) -> float:
        if self.step_count < self.warmup_steps:
            return 1.0
        variance = self.grad_square_ema - self.grad_mean_ema.square()
        return 1.0 / (1.0 + self.alpha * float(variance / (self.grad_mean_ema.square() + 1e-8)))

    def scale_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        self.update(torch.cat([gradient.flatten() for gradient in gradients]))
        factor = self.scale()
        for gradient in gradients:
            gradient.mul_(factor)
