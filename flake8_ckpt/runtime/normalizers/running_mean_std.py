"""The reference normalizer: running mean and variance that a checkpoint keeps, to the bit, with all that they need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from dataclasses import replace
from typing import Any
from typing import Literal

import torch
from torch import Tensor
from torch import nn
from torch.distributed import ProcessGroup

from flake8_ckpt.runtime.normalizers import affine
from flake8_ckpt.runtime.normalizers import batches
from flake8_ckpt.runtime.normalizers import buffers
from flake8_ckpt.runtime.normalizers.batches import Nonfinite
from flake8_ckpt.runtime.normalizers.casting import as_floating
from flake8_ckpt.runtime.normalizers.casting import without_casts
from flake8_ckpt.runtime.normalizers.distributed import check_alone
from flake8_ckpt.runtime.normalizers.distributed import shared_moments
from flake8_ckpt.runtime.normalizers.loading import State
from flake8_ckpt.runtime.normalizers.loading import read_parts
from flake8_ckpt.runtime.normalizers.loading import warn_of_difference
from flake8_ckpt.runtime.normalizers.moments import Moments
from flake8_ckpt.runtime.normalizers.moments import merge
from flake8_ckpt.runtime.normalizers.rows import as_rows
from flake8_ckpt.runtime.normalizers.rows import check_mask
from flake8_ckpt.runtime.normalizers.rows import check_rows
from flake8_ckpt.runtime.normalizers.settings import Settings
from flake8_ckpt.runtime.normalizers.settings import checked_choice
from flake8_ckpt.runtime.normalizers.settings import settings_of


class RunningMeanStd(nn.Module):
    """Normalize by the running mean and standard deviation of all rows seen so far.

    `y = clip((x - mean) / sqrt(var + epsilon))`, with the population variance (ddof 0) and no pseudo-count: below
    `min_count` rows, `normalize` returns its input. Statistics are float64 buffers; no cast of the module,
    `.half()` or autocast, touches them. `update` works in place, never synchronizes with the device, and does
    nothing in `eval()`, when frozen, or once `until` rows were seen.

    Args:
        shape: the shape of one row, without batch axes; where it is `None`, the first batch says it, or the
            checkpoint, and only the first axis is a batch axis.
        epsilon: added to the variance, in squared units of the input.
        clip: the largest absolute value of the output, or `None`.
        until: the number of rows after which the statistics stay as they are, or `None`.
        decay: what the weight of all earlier rows is multiplied by at each update, or `None` for a plain mean.
        nonfinite: what a row with NaN or infinity does: it spreads, is left out and counted in `rejected`, or
            raises `ValueError` (which synchronizes with the device).
        accumulate_dtype: the dtype of the sums over large batches, float32 or float64; `None` takes float32 where
            that holds the input exactly.
        process_group: the ranks that share statistics; `None` is all of them.
        sync: with "auto" every update merges the batches of all ranks, so all must call it equally often; with
            "manual" a call of `sync` does; with "off" nothing.
        min_count: the number of rows below which `normalize` returns its input.
        device: where the buffers are made.

    Buffers: `mean` and `m2`, the sum of squared deviations, float64 of `shape`; `count`, the number of rows, and
    `rejected`, int64; `weight`, float64, the count as `decay` leaves it; and one for each hyper-parameter that
    changes results. What a checkpoint says of these wins over the arguments, with a warning.
    """

    # Where a pickle of a whole module finds the class, wherever it lives in here.
    __module__ = "flake8_ckpt.runtime"

    mean: Tensor
    m2: Tensor
    count: Tensor
    weight: Tensor
    rejected: Tensor
    clip: Tensor
    decay: Tensor
    frozen: Tensor
    _shift: Tensor
    _scale: Tensor
    _offset: Tensor

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
        # In a tuple, so that it is no child: `DistributedDataParallel` would broadcast the rows of rank 0 over it.
        self._waiting = (RunningMeanStd(shape, sync="off", device=device),) if sync == "manual" else ()
        # The hyper-parameters in force, as numbers.
        self.settings = settings_of(epsilon, clip, until, decay, min_count)
        # At least so many rows are known to have been seen, without asking the device.
        self._known = 0
        buffers.register(self, self.settings, device)
        if shape is not None:
            self._build((shape,) if isinstance(shape, int) else tuple(shape))

    @property
    def shape(self) -> torch.Size | None:
        """Return the shape of one row, `None` before it is known."""
        return None if self.mean is None else self.mean.shape

    @property
    def var(self) -> Tensor:
        """Return the population variance, float64 of `shape`; 1 before the first row."""
        return torch.where(self.weight > 0, self.m2 / self.weight, 1.0)

    @property
    def std(self) -> Tensor:
        """Return the standard deviation, float64 of `shape`; 1 before the first row."""
        return self.var.sqrt()

    @property
    def moments(self) -> Moments:
        """Return the statistics as the pure functions take them; they share memory with the buffers."""
        return Moments(self.weight, self.mean, self.m2)

    @property
    def pending(self) -> RunningMeanStd | None:
        """Return what holds the rows that wait for `sync`, where `sync` is "manual"."""
        return self._waiting[0] if self._waiting else None

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalized input; the statistics stay as they are."""
        return self.normalize(x)

    def update_and_normalize(self, x: Tensor, *, mask: Tensor | None = None) -> Tensor:
        """Take a batch into the statistics, then return it normalized."""
        self.update(x, mask=mask)
        return self.normalize(x)

    @torch.no_grad()
    def update(self, x: Tensor, *, mask: Tensor | None = None) -> None:
        """Take a batch into the statistics: any real dtype, shape `(*batch, *shape)`; `mask` is bool, `(*batch)`.

        Raises `ValueError` for another trailing shape, `TypeError` for complex input or a mask that is not bool.
        """
        rows = self._rows(x)
        check_mask(mask, x, self.mean.shape)
        if not self.training or self.settings.frozen:
            return
        keep = None if mask is None else mask.reshape(-1)
        self._take(*batches.moments_of_rows(rows, keep, self.nonfinite))
        if keep is None and self.nonfinite == "propagate" and self.pending is None:
            self._count_known(rows.shape[0])

    @torch.no_grad()
    def update_from_moments(self, mean: Tensor, var: Tensor, count: int | Tensor) -> None:
        """Take `count` rows into the statistics of which only mean and population variance are known."""
        if not self.training or self.settings.frozen:
            return
        weight = torch.as_tensor(count, dtype=torch.float64, device=self.count.device)
        self._rows(mean[None])
        self._take(Moments(weight, mean.double(), var.double() * weight), None)

    @torch.no_grad()
    def merge(self, other: RunningMeanStd) -> None:
        """Take the rows that another normalizer has seen into the statistics."""
        if other.mean is None:
            return
        self._rows(other.mean[None])
        device = self.count.device
        self._write(merge(self.moments, Moments(*(each.to(device) for each in other.moments))))
        self.count.add_(other.count.to(device))
        self.rejected.add_(other.rejected.to(device))
        self._known = max(self._known, other._known)

    def normalize(self, x: Tensor) -> Tensor:
        """Return the input in units of standard deviations from the mean; dtype of the input, float32 for integers."""
        given = as_floating(x)
        if self.mean is None:
            return given
        check_rows(x, self.mean.shape)
        return affine.normalize(given, *self._form(given.dtype)).to(given.dtype)

    def denormalize(self, y: Tensor) -> Tensor:
        """Return what `normalize` turns into `y`, as far as it did not clip; dtype as for `normalize`."""
        given = as_floating(y)
        if self.mean is None:
            return given
        check_rows(y, self.mean.shape)
        return affine.denormalize(given.double(), self._form(torch.float64)[0]).to(given.dtype)

    def _form(self, dtype: torch.dtype) -> tuple[affine.Affine, Tensor | float | None]:
        """Return what to normalize input of a dtype with, and the limit of the result."""
        settings, is_precise = self.settings, dtype == torch.float64
        form = affine.precise_affine(self.moments, settings.epsilon) if is_precise else self._affine
        if self._known < settings.min_count and self.count.is_cpu and not torch.compiler.is_compiling():
            self._known = min(int(self.count), settings.min_count)
        if self._known >= settings.min_count:
            return form, settings.limit
        # How many rows there are is known only on the device, so the choice is made there.
        clip = None if settings.limit is None else self.clip.to(dtype)
        return affine.unless_early(self.count < settings.min_count, form, clip)

    @torch.no_grad()
    def sync(self) -> None:
        """Take the rows since the last call, of all ranks, into the statistics of `sync="manual"`.

        Until then they wait in `pending`, and all ranks normalize alike. Every rank must call it, and with a shape:
        a rank that has seen no batch does not know it otherwise, and raises `ValueError`. Call it before a save:
        the checkpoint of one rank holds only its own waiting rows.
        """
        own = self.pending
        if own is None:
            return
        if own.mean is None:
            check_alone(self.process_group)
            return
        self._rows(own.mean[None])
        self._fold(*shared_moments(own.moments, own.rejected, self.process_group))
        own.reset()

    def reset(self) -> None:
        """Forget all rows, also those that wait for `sync`; hyper-parameters stay."""
        self._clear()
        if self.pending is not None:
            self.pending.reset()

    def _clear(self) -> None:
        buffers.clear(self, asdict(self.settings))
        self._known = 0
        if self.mean is not None:
            self._refresh()

    def freeze(self) -> None:
        """Let `update` do nothing, also after the checkpoint of this normalizer is loaded."""
        self.settings = replace(self.settings, frozen=True)
        self.frozen.fill_(True)

    def unfreeze(self) -> None:
        """Let `update` work again."""
        self.settings = replace(self.settings, frozen=False)
        self.frozen.fill_(False)

    def extra_repr(self) -> str:
        """Return what `print` shows between the brackets."""
        shape = None if self.mean is None else tuple(self.mean.shape)
        numbers = f"epsilon={self.settings.epsilon}, clip={self.settings.clip}"
        return f"{shape}, {numbers}, nonfinite={self.nonfinite!r}"

    def _build(self, shape: tuple[int, ...]) -> None:
        buffers.give_shape(self, shape, self.count.device)
        self._refresh()

    def _rows(self, x: Tensor) -> Tensor:
        if self.mean is None:
            if x.dim() == 0:
                raise ValueError("a batch of rows is needed to know their shape, not a single number")
            self._build(tuple(x.shape[1:]))
        return as_rows(x, self.mean.shape, self.accumulate_dtype)

    def _take(self, batch: Moments, rejected: Tensor | None) -> None:
        if self.pending is not None:
            if self.pending.count.device != self.count.device:
                self.pending.to(self.count.device)
            self.pending._rows(batch.mean[None])
            self.pending._fold(batch, rejected)
        elif self.sync_mode == "auto":
            self._fold(*shared_moments(batch, rejected, self.process_group))
        else:
            self._fold(batch, rejected)

    def _fold(self, batch: Moments, rejected: Tensor | None) -> None:
        batch = batches.taken_before(batch, self.count, self.settings.until)
        old = batches.decayed(self.moments, batch, self.decay) if self.settings.decay < 1 else self.moments
        self.count.add_(batch.weight.long())
        if rejected is not None:
            self.rejected.add_(rejected)
        self._write(merge(old, batch))

    def _write(self, moments: Moments) -> None:
        buffers.write(self.moments, moments)
        self._refresh()

    def _refresh(self) -> None:
        """Bring the mean, in two float32 parts, and the inverse standard deviation up to date."""
        affine.write_affine(self.moments, self.settings.epsilon, self._affine)

    @property
    def _affine(self) -> affine.Affine:
        return affine.Affine(self._shift, self._scale, self._offset)

    def _count_known(self, number: int) -> None:
        enough = self.settings.min_count
        if self._known < enough:
            self._known = enough if number >= enough else self._known + int(number)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> RunningMeanStd:
        """Move the buffers as `nn.Module` does, but never change their dtype."""
        super()._apply(without_casts(fn), recurse)  # type: ignore[no-untyped-call]
        for waiting in self._waiting:
            waiting._apply(fn, recurse)
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Return what a pickle holds: the settings as plain numbers, so that it names no module inside of ours."""
        return {**self.__dict__, "settings": asdict(self.settings)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({**state, "settings": Settings(**state["settings"])})  # type: ignore[no-untyped-call]

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        for waiting in self._waiting:
            waiting._save_to_state_dict(destination, f"{prefix}pending.", keep_vars)

    def _load_from_state_dict(
        self, state: dict[str, Any], prefix: str, metadata: dict[str, Any], strict: bool, *found: list[str]
    ) -> None:
        """Check the whole state, then copy it; a bad one copies nothing and names the key."""
        missing_keys, unexpected_keys, error_msgs = found
        parts = read_parts(state, prefix, self.shape, self.pending is not None)
        error_msgs.extend(part.problem for part in parts if part.problem)
        missing_keys.extend(key for part in parts for key in part.missing)
        if any(part.problem or part.missing for part in parts):
            return
        self.reset()
        for part, module in zip(parts, (self, *self._waiting)):
            module._adopt(part.state, metadata.get("assign_to_params_buffers", False))
            unexpected_keys.extend(part.unexpected if strict else ())

    @torch.no_grad()
    def _adopt(self, state: State, assign: bool) -> None:
        if state.settings is not None:
            warn_of_difference(state.settings, self.settings)
            self.settings = state.settings
        if assign:
            buffers.renew(self, state.count.device)
        self._clear()
        if state.moments is not None:
            self._rows(state.moments.mean[None])
            self._write(Moments(*(each.to(self.count.device) for each in state.moments)))
        self.count.copy_(state.count)
        self.rejected.copy_(state.rejected)
        self._known = min(int(state.count), self.settings.min_count)
