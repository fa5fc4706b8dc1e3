"""The reference normalizer: running mean and variance that a checkpoint keeps, to the bit, with all that they need."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict
from dataclasses import replace
from typing import Any
from typing import Literal

import torch
from torch import Tensor
from torch import nn
from torch.distributed import ProcessGroup

from flake8_ckpt.runtime.normalizers.affine import Affine
from flake8_ckpt.runtime.normalizers.affine import denormalize
from flake8_ckpt.runtime.normalizers.affine import identity_where
from flake8_ckpt.runtime.normalizers.affine import normalize
from flake8_ckpt.runtime.normalizers.affine import precise_affine
from flake8_ckpt.runtime.normalizers.affine import write_affine
from flake8_ckpt.runtime.normalizers.casting import as_floating
from flake8_ckpt.runtime.normalizers.casting import without_casts
from flake8_ckpt.runtime.normalizers.distributed import is_shared
from flake8_ckpt.runtime.normalizers.distributed import moments_of_all
from flake8_ckpt.runtime.normalizers.loading import State
from flake8_ckpt.runtime.normalizers.loading import read_state
from flake8_ckpt.runtime.normalizers.loading import warn_of_difference
from flake8_ckpt.runtime.normalizers.moments import Moments
from flake8_ckpt.runtime.normalizers.moments import batch_moments
from flake8_ckpt.runtime.normalizers.moments import masked_moments
from flake8_ckpt.runtime.normalizers.moments import merge
from flake8_ckpt.runtime.normalizers.rows import as_column
from flake8_ckpt.runtime.normalizers.rows import as_rows
from flake8_ckpt.runtime.normalizers.rows import check_mask
from flake8_ckpt.runtime.normalizers.rows import check_rows
from flake8_ckpt.runtime.normalizers.settings import Settings


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
        nonfinite: Literal["propagate", "skip", "raise"] = "propagate",
        accumulate_dtype: torch.dtype | None = None,
        process_group: ProcessGroup | None = None,
        sync: Literal["auto", "off", "manual"] = "auto",
        min_count: int = 2,
        device: torch.device | str | None = None,
    ) -> None:
        super().__init__()
        _check_choice("nonfinite", nonfinite, ("propagate", "skip", "raise"))
        _check_choice("sync", sync, ("auto", "off", "manual"))
        self.nonfinite = nonfinite
        self.accumulate_dtype = accumulate_dtype
        self.process_group = process_group
        self.sync_mode = sync
        # In a tuple, so that it is no child: `DistributedDataParallel` would broadcast the rows of rank 0 over it.
        self._waiting = (RunningMeanStd(shape, sync="off", device=device),) if sync == "manual" else ()
        self._settings = Settings(
            epsilon=epsilon,
            clip=math.inf if clip is None else clip,
            until=-1 if until is None else until,
            decay=1.0 if decay is None else decay,
            min_count=min_count,
        )
        # At least so many rows are known to have been seen, without asking the device.
        self._known = 0
        for name in ("mean", "m2"):
            self.register_buffer(name, None)
        self.register_buffer("count", torch.zeros((), dtype=torch.int64, device=device))
        self.register_buffer("weight", torch.zeros((), dtype=torch.float64, device=device))
        self.register_buffer("rejected", torch.zeros((), dtype=torch.int64, device=device))
        for name, value in self._settings.tensors(device).items():
            self.register_buffer(name, value)
        for name in ("_shift", "_scale", "_offset"):
            self.register_buffer(name, None, persistent=False)
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
    def settings(self) -> Settings:
        """Return the hyper-parameters in force as numbers."""
        return self._settings

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
        if mask is not None:
            check_mask(mask, x, self.mean.shape)
        if not self.training or self._settings.frozen:
            return
        keep = None if mask is None else mask.reshape(-1)
        if self.nonfinite != "propagate":
            self._take(*self._finite_moments(rows, keep))
        elif keep is None:
            self._take(batch_moments(rows), None)
        else:
            self._take(masked_moments(torch.where(as_column(keep, rows), rows, 0), keep), None)
        if keep is None and self.nonfinite == "propagate" and self.pending is None:
            self._count_known(rows.shape[0])

    @torch.no_grad()
    def update_from_moments(self, mean: Tensor, var: Tensor, count: int | Tensor) -> None:
        """Take `count` rows into the statistics of which only mean and population variance are known."""
        if not self.training or self._settings.frozen:
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
        return normalize(given, *self._form(given.dtype)).to(given.dtype)

    def denormalize(self, y: Tensor) -> Tensor:
        """Return what `normalize` turns into `y`, as far as it did not clip; dtype as for `normalize`."""
        given = as_floating(y)
        if self.mean is None:
            return given
        check_rows(y, self.mean.shape)
        affine, _ = self._form(torch.float64)
        return denormalize(given.double(), affine).to(given.dtype)

    def _form(self, dtype: torch.dtype) -> tuple[Affine, Tensor | float | None]:
        """Return what to normalize input of a dtype with, and the limit of the result."""
        settings = self._settings
        affine = precise_affine(self.moments, settings.epsilon) if dtype == torch.float64 else self._affine
        clip = None if settings.clip == math.inf else settings.clip
        if self._known < settings.min_count and self.count.is_cpu and not torch.compiler.is_compiling():
            self._known = min(int(self.count), settings.min_count)
        if self._known >= settings.min_count:
            return affine, clip
        # How many rows there are is known only on the device, so the choice is made there.
        is_early = self.count < settings.min_count
        limit = None if clip is None else torch.where(is_early, math.inf, self.clip).to(dtype)
        affine = identity_where(is_early, affine)
        return affine, None if limit is None else limit.expand(self.mean.shape).contiguous()

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
            if is_shared(self.process_group):
                raise ValueError("sync() before the first batch needs the shape of a row: RunningMeanStd(shape)")
            return
        self._rows(own.mean[None])
        self._fold(*self._share(own.moments, own.rejected))
        own.reset()

    def reset(self) -> None:
        """Forget all rows, also those that wait for `sync`; hyper-parameters stay."""
        self._clear()
        if self.pending is not None:
            self.pending.reset()

    def _clear(self) -> None:
        with torch.no_grad():
            for name, value in asdict(self._settings).items():
                self.get_buffer(name).fill_(value)
            for buffer in (self.count, self.weight, self.rejected, self.mean, self.m2):
                if buffer is not None:
                    buffer.zero_()
        self._known = 0
        self._refresh()

    def freeze(self) -> None:
        """Let `update` do nothing, also after the checkpoint of this normalizer is loaded."""
        self._set_frozen(True)

    def unfreeze(self) -> None:
        """Let `update` work again."""
        self._set_frozen(False)

    def extra_repr(self) -> str:
        """Return what `print` shows between the brackets."""
        settings = self._settings
        shape = None if self.mean is None else tuple(self.mean.shape)
        return f"{shape}, epsilon={settings.epsilon}, clip={settings.clip}, nonfinite={self.nonfinite!r}"

    def _build(self, shape: tuple[int, ...]) -> None:
        # Tensors that are made in inference mode could not be updated outside of it.
        with torch.inference_mode(False):
            for name in ("mean", "m2"):
                setattr(self, name, torch.zeros(shape, dtype=torch.float64, device=self.count.device))
            for name in ("_shift", "_scale", "_offset"):
                setattr(self, name, torch.zeros(shape, dtype=torch.float32, device=self.count.device))
        self._refresh()

    def _rows(self, x: Tensor) -> Tensor:
        if self.mean is None:
            if x.dim() == 0:
                raise ValueError("a batch of rows is needed to know their shape, not a single number")
            self._build(tuple(x.shape[1:]))
        return as_rows(x, self.mean.shape, self.accumulate_dtype)

    def _finite_moments(self, rows: Tensor, keep: Tensor | None) -> tuple[Moments, Tensor]:
        # A sum over a row is not finite if one of its values is not, or if their squares could not be summed.
        finite = (rows.flatten(1).sum(1) if rows.dim() > 1 else rows).isfinite()
        if self.nonfinite == "raise" and not bool((finite if keep is None else finite | ~keep).all()):
            raise ValueError(f"{int((~finite).sum())} of {len(rows)} rows hold NaN or infinity")
        rejected = (~finite if keep is None else keep & ~finite).sum()
        return masked_moments(
            rows.nan_to_num(0.0, 0.0, 0.0), finite if keep is None else keep & finite
        ), rejected

    def _take(self, batch: Moments, rejected: Tensor | None) -> None:
        if self.pending is not None:
            if self.pending.count.device != self.count.device:
                self.pending.to(self.count.device)
            self.pending._rows(batch.mean[None])
            self.pending._fold(batch, rejected)
        elif self.sync_mode == "auto":
            self._fold(*self._share(batch, rejected))
        else:
            self._fold(batch, rejected)

    def _share(self, batch: Moments, rejected: Tensor | None) -> tuple[Moments, Tensor | None]:
        if not is_shared(self.process_group):
            return batch, rejected
        own = self.rejected.new_zeros(()) if rejected is None else rejected
        return moments_of_all(batch, own, self.process_group)

    def _fold(self, batch: Moments, rejected: Tensor | None) -> None:
        settings = self._settings
        if settings.until >= 0:
            is_open = self.count < settings.until
            batch = Moments(batch.weight * is_open, *(torch.where(is_open, each, 0) for each in batch[1:]))
        old = self.moments
        if settings.decay < 1:
            # The buffer is float64; of two plain numbers `where` makes float32.
            factor = torch.where(batch.weight > 0, self.decay, 1.0)
            old = Moments(old.weight * factor, old.mean, old.m2 * factor)
        self.count.add_(batch.weight.long())
        if rejected is not None:
            self.rejected.add_(rejected)
        self._write(merge(old, batch))

    def _write(self, moments: Moments) -> None:
        for buffer, value in zip(self.moments, moments):
            # Through a view: compiled code of torch 2.13 drops writes to float64 tensors of shape () on the CPU.
            (buffer if buffer.dim() else buffer.view(1)).copy_(value)
        self._refresh()

    def _refresh(self) -> None:
        """Bring the mean, in two float32 parts, and the inverse standard deviation up to date."""
        if self.mean is None:
            return
        write_affine(self.moments, self._settings.epsilon, self._affine)

    @property
    def _affine(self) -> Affine:
        return Affine(self._shift, self._scale, self._offset)

    def _count_known(self, number: int) -> None:
        enough = self._settings.min_count
        if self._known < enough:
            self._known = enough if number >= enough else self._known + int(number)

    def _set_frozen(self, frozen: bool) -> None:
        self._settings = replace(self._settings, frozen=frozen)
        self.frozen.fill_(frozen)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> RunningMeanStd:
        """Move the buffers as `nn.Module` does, but never change their dtype."""
        super()._apply(without_casts(fn), recurse)  # type: ignore[no-untyped-call]
        for waiting in self._waiting:
            waiting._apply(fn, recurse)
        return self

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        for waiting in self._waiting:
            waiting._save_to_state_dict(destination, f"{prefix}pending.", keep_vars)

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Check the whole state, then copy it; a bad one copies nothing and names the key."""
        own = {key.removeprefix(prefix): value for key, value in state_dict.items() if key.startswith(prefix)}
        names = [key for key in own if key.startswith("pending.") and self.pending is not None]
        waiting = {key.removeprefix("pending."): own.pop(key) for key in names}
        parts = [(prefix, own, self)]
        if self.pending is not None and waiting:
            parts.append((f"{prefix}pending.", waiting, self.pending))
        states = [_read(values, self.shape, name, error_msgs) for name, values, _ in parts]
        found = [state for state in states if state is not None]
        missing_keys.extend(
            f"{name}{key}" for (name, _, _), state in zip(parts, found) for key in state.missing
        )
        if len(found) < len(parts) or any(state.missing for state in found):
            return
        self.reset()
        assign = local_metadata.get("assign_to_params_buffers", False)
        for (name, values, module), state in zip(parts, found):
            module._adopt(state, assign)
            unexpected_keys.extend(f"{name}{key}" for key in values if strict and key not in state.known)

    @torch.no_grad()
    def _adopt(self, state: State, assign: bool) -> None:
        if state.settings is not None:
            warn_of_difference(state.settings, self._settings)
            self._settings = state.settings
        if assign:
            self._renew(state.count.device)
        self._clear()
        if state.moments is not None:
            self._rows(state.moments.mean[None])
            self._write(Moments(*(each.to(self.count.device) for each in state.moments)))
        self.count.copy_(state.count)
        self.rejected.copy_(state.rejected)
        self._known = min(int(state.count), self._settings.min_count)

    def _renew(self, device: torch.device) -> None:
        """Make all buffers anew where a checkpoint lies, as `assign=True` asks; they never share its memory."""
        for name, buffer in self.named_buffers(recurse=False):
            setattr(self, name, torch.zeros_like(buffer, device=device))


def _read(
    values: dict[str, Tensor], shape: torch.Size | None, prefix: str, error_msgs: list[str]
) -> State | None:
    """Return a valid state, or say what is wrong."""
    try:
        return read_state(values, shape)
    except ValueError as error:
        error_msgs.append(f"{prefix.rstrip('.') or RunningMeanStd.__name__}: {error}")
        return None


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, not {value!r}")
