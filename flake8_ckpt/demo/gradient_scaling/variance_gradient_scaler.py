# Modelled on a distributional PPO that scales gradients by the variance of their moving averages.
# The bug: the averages start as None and are plain attributes, so state_dict() never holds them.
"""Scale gradients down where they are noisy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional

import torch
from torch import nn


class VarianceGradientScaler(nn.Module):
    """Moving averages of the gradients' mean and square, and the scale they give."""

    def __init__(self, beta: float = 0.99, alpha: float = 0.1, warmup_steps: int = 100) -> None:
        super().__init__()
        self.beta = beta
        self.alpha = alpha
        self.warmup_steps = warmup_steps
        self.step_count = 0
        self.grad_mean_ema: Optional[torch.Tensor] = None
        self.grad_square_ema: Optional[torch.Tensor] = None

    @torch.no_grad()
    def update(self, gradients: torch.Tensor) -> None:
        if self.grad_mean_ema is None or self.grad_square_ema is None:
            self.grad_mean_ema = gradients.mean()
            self.grad_square_ema = gradients.square().mean()
        else:
            self.grad_mean_ema = self.beta * self.grad_mean_ema + (1 - self.beta) * gradients.mean()
            self.grad_square_ema = (
                self.beta * self.grad_square_ema + (1 - self.beta) * gradients.square().mean()
            )
        self.step_count += 1

    def scale(self) -> float:
        if self.grad_mean_ema is None or self.grad_square_ema is None or self.step_count < self.warmup_steps:
            return 1.0
        variance = self.grad_square_ema - self.grad_mean_ema.square()
        return 1.0 / (1.0 + self.alpha * float(variance / (self.grad_mean_ema.square() + 1e-8)))

    def scale_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        self.update(torch.cat([gradient.flatten() for gradient in gradients]))
        factor = self.scale()
        for gradient in gradients:
            gradient.mul_(factor)
