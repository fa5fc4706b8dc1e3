"""Two of the systems at the size and in the shape of their reports: a resume block far from the save call, a
component that a pair of hooks leaves out in a very large file.
"""

from __future__ import annotations

from tests.rule_cases import check_findings
from tests.rule_cases import check_silent
from tests.rule_cases import lint

NORMALIZATION = """
import torch


class RunningMeanStd:
    def __init__(self, shape, momentum=None, device="cpu"):
        self.mean = torch.zeros(shape, device=device)
        self.var = torch.ones(shape, device=device)
        self.count = torch.tensor(1e-4)
        self.momentum = momentum

    def update(self, batch):
        total = self.count + len(batch)
        delta = batch.mean(dim=0) - self.mean
        self.mean = self.mean + delta * len(batch) / total
        self.var = self.var + batch.var(dim=0) * len(batch) / total
        self.count = total

    def normalize(self, batch, clip=10.0):
        return ((batch - self.mean) / (self.var + 1e-8).sqrt()).clamp(-clip, clip)

    def state_dict(self):
        return {"mean": self.mean, "var": self.var, "count": self.count}

    def load_state_dict(self, state):
        self.mean = state["mean"]
        self.var = state["var"]
        self.count = state["count"]


class RewardNormalizer:
    def __init__(self, clip=10.0):
        self.mean = 0.0
        self.m2 = 0.0
        self.count = 0
        self.clip = clip

    def update_and_normalize(self, reward):
        self.count += 1
        delta = reward - self.mean
        self.mean += delta / self.count
        self.m2 += delta * (reward - self.mean)
        return reward / max((self.m2 / self.count) ** 0.5, 1e-4)
"""
PPO = """
from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

CHECKPOINT_VERSION = 2


class PPOAgent:
    def __init__(self, state_dim: int, hidden: int = 64, device: str = "cpu") -> None:
        self.policy = nn.Linear(state_dim, hidden)
        self.optimizer = torch.optim.AdamW(self.policy.parameters())
        self.state_dim = state_dim
        self.train_steps = 0
        self.device = device

    def update(self, batch: torch.Tensor) -> None:
        self.optimizer.zero_grad()
        self.policy(batch).mean().backward()
        self.optimizer.step()
        self.train_steps += 1

    def save(self, path: str | Path, metadata: dict[str, Any] | None = None) -> None:
        save_dict: dict[str, Any] = {
            "checkpoint_version": CHECKPOINT_VERSION,
            "network_state_dict": self.policy.state_dict(),
            "optimizer_state_dict": self.optimizer.state_dict(),
            "train_steps": self.train_steps,
            "config": {"device": self.device},
            "architecture": {"state_dim": self.state_dim},
        }
        if metadata:
            save_dict["metadata"] = metadata
        torch.save(save_dict, path)

    @classmethod
    def load(cls, path: str | Path, device: str = "cpu") -> "PPOAgent":
        checkpoint = torch.load(path, map_location=device, weights_only=True)
        version = checkpoint["checkpoint_version"]
        if version != CHECKPOINT_VERSION:
            raise RuntimeError(f"checkpoint of version {version}")
        architecture = checkpoint["architecture"]
        agent = cls(state_dim=architecture["state_dim"], device=device)
        agent.policy.load_state_dict(checkpoint["network_state_dict"])
        agent.optimizer.load_state_dict(checkpoint["optimizer_state_dict"])
        agent.train_steps = checkpoint["train_steps"]
        return agent
"""
RESUME = """
from __future__ import annotations

import torch
from simic.control.normalization import RewardNormalizer, RunningMeanStd
from simic.ppo import PPOAgent


def train_ppo_vectorized(envs, n_episodes, resume_path=None, save_path=None, device="cpu"):
    obs_normalizer = RunningMeanStd((8,), momentum=0.99, device=device)
    reward_normalizer = RewardNormalizer(clip=10.0)
    start_episode = 0
    if resume_path:
        agent = PPOAgent.load(resume_path, device=device)
        checkpoint = torch.load(resume_path, map_location=device, weights_only=True)
        metadata = checkpoint.get("metadata", {})
        if "obs_normalizer_mean" in metadata:
            obs_normalizer.mean = torch.tensor(metadata["obs_normalizer_mean"], device=device)
            obs_normalizer.var = torch.tensor(metadata["obs_normalizer_var"], device=device)
            obs_normalizer.count = torch.tensor(metadata["obs_normalizer_count"], device=device)
            if "obs_normalizer_momentum" in metadata:
                obs_normalizer.momentum = metadata["obs_normalizer_momentum"]
        if "reward_normalizer_mean" in metadata:
            reward_normalizer.mean = metadata["reward_normalizer_mean"]
            reward_normalizer.m2 = metadata["reward_normalizer_m2"]
            reward_normalizer.count = metadata["reward_normalizer_count"]
        if "n_episodes" in metadata:
            start_episode = int(metadata["n_episodes"])
    else:
        agent = PPOAgent(state_dim=8, device=device)
    episodes_completed = start_episode
"""
ROUND = """
    observations = envs.observe({0})
    obs_normalizer.update(observations)
    rewards_{0} = [reward_normalizer.update_and_normalize(float(row.sum())) for row in observations]
    if rewards_{0} and episodes_completed < n_episodes:
        agent.update(obs_normalizer.normalize(observations))
    episodes_completed += 1
"""
SAVE = """
    if save_path:
        agent.save(save_path)  # CKP201
    return agent
"""
FIXED_SAVE = """
    if save_path:
        checkpoint_metadata = {
            "obs_normalizer_mean": obs_normalizer.mean.tolist(),
            "obs_normalizer_var": obs_normalizer.var.tolist(),
            "obs_normalizer_count": obs_normalizer.count.item(),
            "obs_normalizer_momentum": obs_normalizer.momentum,
            "reward_normalizer_mean": reward_normalizer.mean,
            "reward_normalizer_m2": reward_normalizer.m2,
            "reward_normalizer_count": reward_normalizer.count,
            "n_episodes": episodes_completed,
        }
        agent.save(save_path, metadata=checkpoint_metadata)
    return agent
"""
ROUNDS = "".join(ROUND.format(number) for number in range(420))
SCALER = """
import torch


class VarianceGradientScaler:
    def __init__(self, parameters, beta=0.99, alpha=0.1, warmup_steps=100):
        self.parameters = list(parameters)
        self.beta = beta
        self.alpha = alpha
        self.warmup_steps = warmup_steps
        self._step_count = 0
        self._grad_mean_ema = None
        self._grad_var_ema = None

    def update_parameters(self, parameters):
        self.parameters = list(parameters)

    @torch.no_grad()
    def step(self):
        gradients = torch.cat([each.grad.flatten() for each in self.parameters if each.grad is not None])
        if self._grad_mean_ema is None:
            self._grad_mean_ema, self._grad_var_ema = gradients.mean(), gradients.var()
        else:
            self._grad_mean_ema = self.beta * self._grad_mean_ema + (1 - self.beta) * gradients.mean()
            self._grad_var_ema = self.beta * self._grad_var_ema + (1 - self.beta) * gradients.var()
        self._step_count += 1

    def scale_gradients(self):
        if self._grad_var_ema is not None and self._step_count > self.warmup_steps:
            for each in self.parameters:
                each.grad.mul_(1.0 / (1.0 + self.alpha * self._grad_var_ema))

    def state_dict(self):
        return {"step_count": self._step_count, "mean": self._grad_mean_ema, "var": self._grad_var_ema}

    def load_state_dict(self, state):
        self._step_count = state["step_count"]
        self._grad_mean_ema = state["mean"]
        self._grad_var_ema = state["var"]
"""
ALGORITHM = """
from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Optional

from stable_baselines3 import PPO
from variance_gradient_scaler import VarianceGradientScaler

logger = logging.getLogger(__name__)


class DistributionalPPO(PPO):
    def __init__(self, *args: Any, vgs_enabled: bool = True, **kwargs: Any) -> None:
        self._vgs_enabled = vgs_enabled
        self._variance_gradient_scaler: Optional[VarianceGradientScaler] = None
        self._vgs_saved_state_for_restore: Optional[dict[str, Any]] = None
        self.kl_beta = 1.0
        super().__init__(*args, **kwargs)

    def _setup_model(self) -> None:
        super()._setup_model()
        self._setup_dependent_components()

    def train(self) -> None:
        super().train()
        self._variance_gradient_scaler.scale_gradients()
        self._variance_gradient_scaler.step()
        self.kl_beta *= 1.01
"""
METRIC = """
    def _metric_{0}(self, values: list[float], weight: float = {0}.0) -> float:
        total = 0.0
        for index, value in enumerate(values):
            total += weight * value / (index + 1)
        if total > {0}:
            logger.info("metric {0} is %s", total)
        return total / max(len(values), 1)
"""
METRICS = "".join(METRIC.format(number) for number in range(1400))
SETUP = """
    def _setup_dependent_components(self) -> None:
        self._variance_gradient_scaler = VarianceGradientScaler(self.policy.parameters(), beta=0.99)  # CKP204
"""
FIXED_SETUP = """
    def _setup_dependent_components(self) -> None:
        if self._variance_gradient_scaler is not None:
            self._variance_gradient_scaler.update_parameters(self.policy.parameters())
        else:
            self._variance_gradient_scaler = VarianceGradientScaler(self.policy.parameters(), beta=0.99)
            if self._vgs_saved_state_for_restore is not None:
                self._variance_gradient_scaler.load_state_dict(self._vgs_saved_state_for_restore)
"""
KL_HOOKS = """
    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state.pop("_variance_gradient_scaler", None)
        return state

    def _serialize_kl_penalty_state(self) -> dict[str, Any]:
        return {"beta": self.kl_beta}

    def _restore_kl_penalty_state(self, state: Optional[Mapping[str, Any]]) -> None:
        if isinstance(state, Mapping):
            self.kl_beta = float(state["beta"])
"""
PAIR = """
    def get_parameters(self) -> dict[str, dict]:
        params = super().get_parameters()
        params["kl_penalty_state"] = self._serialize_kl_penalty_state()
        return params

    def set_parameters(self, load_path_or_dict, exact_match: bool = True, device: str = "auto") -> None:
        params = dict(load_path_or_dict)
        kl_state = params.pop("kl_penalty_state", None)
        super().set_parameters(params, exact_match=exact_match, device=device)
        self._restore_kl_penalty_state(kl_state)
        self._setup_dependent_components()  # CKP205
"""
FIXED_PAIR = """
    def _serialize_vgs_state(self) -> Optional[dict[str, Any]]:
        if self._variance_gradient_scaler is None:
            return None
        return self._variance_gradient_scaler.state_dict()

    def _restore_vgs_state(self, state: Optional[Mapping[str, Any]]) -> None:
        if not isinstance(state, Mapping):
            return
        if self._variance_gradient_scaler is None:
            self._vgs_saved_state_for_restore = dict(state)
        else:
            self._variance_gradient_scaler.load_state_dict(state)

    def get_parameters(self) -> dict[str, dict]:
        params = super().get_parameters()
        params["kl_penalty_state"] = self._serialize_kl_penalty_state()
        params["vgs_state"] = self._serialize_vgs_state()
        return params

    def set_parameters(self, load_path_or_dict, exact_match: bool = True, device: str = "auto") -> None:
        params = dict(load_path_or_dict)
        kl_state = params.pop("kl_penalty_state", None)
        vgs_state = params.pop("vgs_state", None)
        super().set_parameters(params, exact_match=exact_match, device=device)
        self._restore_kl_penalty_state(kl_state)
        self._restore_vgs_state(vgs_state)
        self._setup_dependent_components()
"""


def ticket(save: str) -> dict[str, str]:
    """Return the system of the ticket with one way to save, as far below the resume block as it really is."""
    return {
        "simic/__init__.py": "",
        "simic/control/__init__.py": "",
        "simic/control/normalization.py": NORMALIZATION,
        "simic/ppo.py": PPO,
        "simic/training/vectorized.py": RESUME + ROUNDS + save,
    }


def scaling(setup: str, pair: str) -> dict[str, str]:
    """Return the algorithm in one file of 11,000 lines."""
    return {
        "variance_gradient_scaler.py": SCALER,
        "distributional_ppo.py": ALGORITHM + METRICS + setup + KL_HOOKS + pair,
    }


def test_save_call_is_silent_once_it_passes_metadata() -> None:
    check_silent(ticket(FIXED_SAVE))


def test_save_call_far_below_the_resume_block_is_found() -> None:
    case = ticket(SAVE)
    assert case["simic/training/vectorized.py"].count("\n") > 2900
    (finding,) = check_findings(case)
    assert "'obs_normalizer_mean'" in finding.message
    assert "simic/training/vectorized.py:" in finding.message
    lines = case["simic/training/vectorized.py"].splitlines()
    named = {lines[each.position.line - 1].strip() for each in finding.related}
    assert 'reward_normalizer.m2 = metadata["reward_normalizer_m2"]' in named


def test_component_is_silent_once_hooks_and_set_up_are_mended() -> None:
    check_silent(scaling(FIXED_SETUP, FIXED_PAIR))


def test_component_that_the_hooks_leave_out_is_found_in_a_large_file() -> None:
    case = scaling(SETUP, PAIR)
    assert case["distributional_ppo.py"].count("\n") > 11_000
    check_findings(case)


def test_mended_hooks_alone_leave_the_recreation() -> None:
    found = lint(scaling(SETUP.replace("  # CKP204", ""), FIXED_PAIR))
    assert [finding.code for finding in found] == ["CKP205"]
    assert "'_variance_gradient_scaler'" in found[0].message
