# Modelled on a distributional PPO on top of Stable-Baselines3.
# The bugs: get_parameters() leaves the scaler out, and the set-up that runs after a load makes a new one.
"""PPO whose gradients are scaled by their variance."""

from __future__ import annotations

from typing import Any
from typing import Optional

from gradient_scaling.variance_gradient_scaler import VarianceGradientScaler
from stable_baselines3 import PPO


class DistributionalPPO(PPO):
    """PPO with a KL penalty that adapts, and a gradient scaler."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.kl_beta = 1.0
        self._variance_gradient_scaler: Optional[VarianceGradientScaler] = None
        super().__init__(*args, **kwargs)

    def _setup_model(self) -> None:
        super()._setup_model()
        self._setup_dependent_components()

    def _setup_dependent_components(self) -> None:
        self._variance_gradient_scaler = VarianceGradientScaler(beta=0.99, alpha=0.1)

    def get_parameters(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_parameters()
        params["kl_penalty_state"] = {"beta": self.kl_beta}
        return params

    def set_parameters(self, params: dict[str, Any], exact_match: bool = True, device: str = "auto") -> None:
        kl_state = params.pop("kl_penalty_state", None)
        super().set_parameters(params, exact_match=exact_match, device=device)
        if kl_state is not None:
            self.kl_beta = kl_state["beta"]
        self._setup_dependent_components()
