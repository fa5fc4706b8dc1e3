"""The reference normalizer: running mean and variance that a checkpoint keeps, to the bit, with all that they need."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any
from typing import Literal

import torch
from torch import Tensor
from torch import nn
from torch.distributed import ProcessGroup

from flake8_ckpt.runtime.normalizers import buffers
from flake8_ckpt.runtime.normalizers import loading
from flake8_ckpt.runtime.normalizers import notices
from flake8_ckpt.runtime.normalizers import on_cpu
from flake8_ckpt.runtime.normalizers import on_device
from flake8_ckpt.runtime.normalizers import rows
from flake8_ckpt.runtime.normalizers import sb3
from flake8_ckpt.runtime.normalizers import updating
from flake8_ckpt.runtime.normalizers.casting import without_casts
from flake8_ckpt.runtime.normalizers.moments import Moments
from flake8_ckpt.runtime.normalizers.settings import Settings
from flake8_ckpt.runtime.normalizers.settings import checked_choice
from flake8_ckpt.runtime.normalizers.settings import settings_of
from flake8_ckpt.runtime.normalizers.updating import Nonfinite


class RunningMeanStd(nn.Module):
    """Normalize by the running mean and standard deviation of all rows seen so far.

    `y = clip((x - mean) / sqrt(var + epsilon))`, with the population variance (ddof 0) and no pseudo-count: below
    `min_count` rows, `normalize` returns its input. Statistics are float64 buffers; no cast of the module,
    `.half()` or autocast, touches them. `update` works in place, never waits for the device, and does nothing in
    `eval()`, when frozen, or once `until` rows were seen. The buffers are all that it knows: whatever writes them,
    `load_state_dict` or anything else, is what normalizes from then on.

    Input is a tensor where the buffers are, or an array or a list of numbers; results are tensors.

    Args:
        shape: the shape of one row, without batch axes; where it is `None`, the first batch says it, and the device,
            or the checkpoint does, and only the first axis is a batch axis.
        epsilon: added to the variance, in squared units of the input.
        clip: the largest absolute value of the output, or `None`.
        until: the number of rows after which the statistics stay as they are, or `None`.
        decay: what the weight of all earlier rows is multiplied by at each update, or `None` for a plain mean.
        nonfinite: what a row with NaN or infinity does: it spreads, is left out and counted in `rejected`, or
            raises `ValueError` (which waits for the device).
        accumulate_dtype: the dtype of the sums over large batches on a CPU, float32 or float64; `None` takes float32
            where that holds the input exactly. Elsewhere it is float64.
        process_group: the ranks that share statistics; `None` is all of them.
        sync: with "auto" every update merges the batches of all ranks, so all must call it equally often; with
            "manual" a call of `sync` does; with "off" nothing.
        min_count: the number of rows below which `normalize` returns its input.
        device: where the buffers are made.

    Buffers: `mean` and `var`, float64 of `shape`; `count`, the number of rows, and `rejected`, int64; `weight`,
    float64, the count as `decay` leaves it; and those of the hyper-parameters that change results, which
    `settings` shows. What a checkpoint says of these wins over the arguments, with a warning.
    """

    # Where a pickle of a whole module finds the class, wherever it lives in here.
    __module__ = "flake8_ckpt.runtime"
    __jit_unused_properties__ = ["shape", "std", "m2", "moments", "pending", "settings", "frozen"]

    # Not for `torch.jit.script`, which cannot read annotations that are text.
    if TYPE_CHECKING:
        mean: Tensor
        var: Tensor
        count: Tensor
        weight: Tensor
        rejected: Tensor
        epsilon: Tensor
        clip: Tensor
        limit: Tensor
        decay: Tensor
        min_count: Tensor
        version: Tensor

    def __init__(
        self,
        shape: int | tuple[int, ...] | None = None,
        *,
        epsilon: float = 1e-8,
        clip: float | None = 10.0,
        until: int | None = None,
        decay: float | None = None,
        nonfinite: Nonfinite = "propagate",
        accumulate_dtype: torch.dtype | None = None,
        process_group: ProcessGroup | None = None,
        sync: Literal["auto", "off", "manual"] = "auto",
        min_count: int = 2,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        self.nonfinite = checked_choice("nonfinite", nonfinite, ("propagate", "skip", "raise"))
        self.accumulate_dtype = accumulate_dtype
        self.process_group = process_group
        self.sync_mode = checked_choice("sync", sync, ("auto", "off", "manual"))
        if sync == "manual":
            # Not as a child: `DistributedDataParallel` would broadcast the rows of rank 0 over it.
            vars(self)["_pending"] = RunningMeanStd(shape, sync="off", device=device)
        buffers.register(self, settings_of(epsilon, clip, until, decay, min_count), device)
        if shape is not None:
            self._build((shape,) if isinstance(shape, int) else tuple(shape))

    @classmethod
    def from_sb3(cls, venv: object, **options: Any) -> RunningMeanStd:
        """Make one of the observations of a `VecNormalize` of stable-baselines3: its statistics, epsilon and clip."""
        moments, count = sb3.read(sb3.observation_statistics(venv))
        given: Any = {"epsilon": vars(venv)["epsilon"], "clip": vars(venv)["clip_obs"], **options}
        normalizer = cls(tuple(moments.mean.shape), **given)
        normalizer._set(moments, count)
        return normalizer

    def to_sb3(self, venv: object) -> None:
        """Write the statistics to a `VecNormalize` of stable-baselines3."""
        sb3.write(sb3.observation_statistics(venv), self.mean, self.var, self.weight)

    @property
    def shape(self) -> torch.Size | None:
        """Return the shape of one row, `None` before it is known."""
        return None if self.mean is None else self.mean.shape

    @property
    def std(self) -> Tensor:
        """Return the standard deviation, float64 of `shape`; 1 before the first row."""
        return self.var.sqrt()

    @property
    def m2(self) -> Tensor:
        """Return the sum of squared deviations from the mean, float64 of `shape`."""
        return self.var * self.weight

    @property
    def moments(self) -> Moments:
        """Return weight, mean and variance; they share memory with the buffers."""
        return Moments(self.weight, self.mean, self.var)

    @property
    def settings(self) -> Settings:
        """Return the hyper-parameters in force, which are read from the buffers: this waits for the device."""
        return Settings.of(dict(self.named_buffers(recurse=False)))

    @property
    def frozen(self) -> bool:
        """Return whether `update` does nothing."""
        return self.settings.frozen

    @property
    def pending(self) -> RunningMeanStd | None:
        """Return what holds the rows that wait for `sync`, where `sync` is "manual"."""
        found: RunningMeanStd | None = vars(self).get("_pending")
        return found

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalized input; the statistics stay as they are."""
        if torch.jit.is_scripting():  # type: ignore[attr-defined]
            if self.mean is None:
                return x
            return on_device.normalize(
                x, self.mean, self.var, self.count, self.epsilon, self.clip, self.min_count
            )
        else:
            return self.normalize(x)

    @torch.jit.unused
    def update_and_normalize(self, x: Any, *, mask: Any = None) -> Tensor:
        """Take a batch into the statistics, then return it normalized."""
        x = self._input(x)
        self.update(x, mask=mask)
        return self._normalized(x)

    @torch.jit.unused
    def update(self, x: Any, *, mask: Any = None) -> None:
        """Take a batch into the statistics: any real dtype, shape `(*batch, *shape)`; `mask` is bool, `(*batch)`.

        Raises `ValueError` for another trailing shape, `TypeError` for complex input or a mask that is not bool.
        """
        x = self._input(x)
        mean = self._built(x)
        rows.check_rows(x, mean.shape)
        if mask is not None:
            mask = rows.as_tensor(mask, x.device)
            rows.check_mask(mask, x, mean.shape)
            mask = mask.reshape(-1)
        if not self.training:
            notices.update_ignored(self, updating.known_count(self))
            return
        updating.take_rows(self, rows.as_rows(x.detach() if x.requires_grad else x, mean.shape), mask)

    @torch.jit.unused
    def update_from_moments(self, mean: Any, var: Any, count: Any) -> None:
        """Take `count` rows into the statistics of which only mean and population variance are known.

        Raises `ValueError` for shapes that are not those of a row, and, where it can be seen without waiting for a
        device, for a negative variance or count, and for NaN or infinity where `nonfinite` is "raise".
        """
        mean, var = self._input(mean).detach(), self._input(var).detach()
        built = self._built(mean[None])
        updating.check_moments(mean, var, count, built.shape, self.nonfinite)
        if not self.training:
            notices.update_ignored(self, updating.known_count(self))
            return
        weight = torch.as_tensor(count, dtype=torch.float64, device=built.device)
        updating.take_moments(self, Moments(weight, mean.double(), var.double()), weight.round().long())

    @torch.no_grad()
    def merge(self, other: RunningMeanStd) -> None:
        """Take the rows that another normalizer has seen into the statistics."""
        if other.mean is None:
            return
        self._built(other.mean[None].to(self.count.device))
        rows.check_rows(other.mean, self.mean.shape)
        device = self.count.device
        moments = Moments(*(torch.as_tensor(each).to(device) for each in other.moments))
        updating.fold_moments(self, moments, other.count.to(device), other.rejected.to(device))

    @torch.jit.unused
    def normalize(self, x: Any) -> Tensor:
        """Return the input in units of standard deviations from the mean; dtype of the input, float32 for integers."""
        x = self._input(x)
        if self.mean is None:
            rows.check_real(x)
            return x.clone() if x.is_floating_point() else x.float()
        rows.check_rows(x, self.mean.shape)
        return self._normalized(x)

    def _normalized(self, x: Tensor) -> Tensor:
        own: Any = self._buffers
        if on_cpu.can_read(own["count"]) and x.is_floating_point() and not x.requires_grad:
            return on_cpu.normalize(own, x)
        return on_device.normalize(
            x, own["mean"], own["var"], own["count"], own["epsilon"], own["clip"], own["min_count"]
        )

    @torch.jit.unused
    def denormalize(self, y: Any) -> Tensor:
        """Return what `normalize` turns into `y`, as far as it did not clip; dtype as for `normalize`."""
        y = self._input(y)
        if self.mean is None:
            rows.check_real(y)
            return y.clone() if y.is_floating_point() else y.float()
        rows.check_rows(y, self.mean.shape)
        return on_device.denormalize(y, self.mean, self.var, self.count, self.epsilon, self.min_count)

    @torch.no_grad()
    def sync(self) -> None:
        """Take the rows since the last call, of all ranks, into the statistics of `sync="manual"`.

        Until then they wait in `pending`, and all ranks normalize alike. Every rank must call it, and with a shape:
        a rank that has seen no batch does not know it otherwise, and raises `ValueError`. Call it before a save:
        the checkpoint of one rank holds only its own waiting rows.
        """
        if self.pending is not None:
            updating.take_pending(self, self.pending)
            notices.read_by_host(self, self._buffers)

    def reset(self) -> None:
        """Forget all rows, also those that wait for `sync`; hyper-parameters stay."""
        buffers.clear(self)
        if self.pending is not None:
            self.pending.reset()

    @torch.no_grad()
    def freeze(self) -> None:
        """Let `update` do nothing, also after the checkpoint of this normalizer is loaded."""
        self.limit.copy_(torch.minimum(self.limit, ~self.limit))

    @torch.no_grad()
    def unfreeze(self) -> None:
        """Let `update` work again."""
        self.limit.copy_(torch.maximum(self.limit, ~self.limit))

    def extra_repr(self) -> str:
        """Return what `print` shows between the brackets."""
        shape = None if self.mean is None else tuple(self.mean.shape)
        if self.count.is_meta:
            return f"{shape}, nonfinite={self.nonfinite!r}, on meta"
        notices.read_by_host(self, self._buffers)
        settings = self.settings
        return f"{shape}, epsilon={settings.epsilon}, clip={settings.clip}, nonfinite={self.nonfinite!r}"

    def _input(self, x: Any) -> Tensor:
        return x if isinstance(x, Tensor) else rows.as_tensor(x, self.count.device)

    def _set(self, moments: Moments, count: Tensor) -> None:
        loading.adopt(self, loading.State(moments, count, torch.zeros_like(count)), False)

    def _build(self, shape: tuple[int, ...]) -> None:
        buffers.give_shape(self, shape, self.count.device)

    def _built(self, x: Tensor) -> Tensor:
        """Return the mean, which the first batch makes: it says the shape of a row, and the device."""
        mean = self._buffers["mean"]
        if mean is None:
            if x.dim() == 0:
                raise ValueError("a batch of rows is needed to know their shape, not a single number")
            self.to(x.device)
            self._build(tuple(x.shape[1:]))
            mean = self.mean
        rows.check_device(x, mean.device)
        return mean

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> RunningMeanStd:
        """Move the buffers as `nn.Module` does, but never change their dtype."""
        super()._apply(without_casts(fn), recurse)  # type: ignore[no-untyped-call]
        if self.pending is not None:
            self.pending._apply(fn, recurse)
        return self

    def __setstate__(self, state: dict[str, Any]) -> None:
        # 0.1.0 kept it in a tuple.
        for waiting in state.pop("_waiting", ()):
            state["_pending"] = waiting
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        if "m2" in self._buffers:
            loading.upgrade_module(self)

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        notices.read_by_host(self, self._buffers)
        super()._save_to_state_dict(destination, prefix, keep_vars)
        if self.pending is not None:
            self.pending._save_to_state_dict(destination, f"{prefix}pending.", keep_vars)

    def _load_from_state_dict(
        self, state: dict[str, Any], prefix: str, metadata: dict[str, Any], strict: bool, *found: list[str]
    ) -> None:
        """Check the whole state, then copy it; a bad one copies nothing and names the key."""
        missing_keys, unexpected_keys, error_msgs = found
        parts = self._parts(state, prefix)
        error_msgs.extend(part.problem for part in parts if part.problem)
        missing_keys.extend(key for part in parts for key in part.missing)
        if any(part.problem or part.missing for part in parts):
            return
        self.reset()
        for part, module in zip(parts, (self, self.pending)):
            loading.adopt(module, part.state, metadata.get("assign_to_params_buffers", False))
            unexpected_keys.extend(part.unexpected if strict else ())

    def _parts(self, state: dict[str, Any], prefix: str) -> list[loading.Part]:
        return loading.read_parts(
            state, prefix, self.shape, self.pending is not None, self.nonfinite != "raise"
        )
