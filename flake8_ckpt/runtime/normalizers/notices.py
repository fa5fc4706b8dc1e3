"""What a normalizer tells its user: rows that were lost in `eval()`, and statistics that are not finite.

Who was told lies outside the modules, which hold nothing that their state_dict does not.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from weakref import WeakSet

import torch
from torch import Tensor
from torch import nn

# Normalizers that were updated in `eval()`, and may never have seen a row; and those that were told.
_updated_in_eval: WeakSet[nn.Module] = WeakSet()
_told: WeakSet[nn.Module] = WeakSet()


def update_ignored(module: nn.Module, count: int | None) -> None:
    """Say once that `update` does nothing in `eval()`, where no row was seen before; remember it for `None`."""
    if count is None:
        _updated_in_eval.add(module)
    elif count == 0 and module not in _told:
        _told.add(module)
        warnings.warn(
            "update() does nothing in eval(), and this normalizer has seen no rows: call train() first",
            stacklevel=4,
        )


def read_by_host(module: nn.Module, buffers: Mapping[str, Tensor | None]) -> None:
    """Say what the statistics look like, where the host reads them anyway: this waits for their device."""
    mean, var, count = buffers["mean"], buffers["var"], buffers["count"]
    if count is None or count.is_meta or torch.compiler.is_compiling() or type(count) is not Tensor:
        return
    if module in _updated_in_eval:
        _updated_in_eval.discard(module)
        update_ignored(module, int(count))
    warn_of_nonfinite(mean, var)


def warn_of_nonfinite(mean: Tensor | None, var: Tensor | None) -> None:
    """Warn where statistics hold NaN or infinity, and name them."""
    named = (("mean", mean), ("var", var))
    bad = [name for name, value in named if value is not None and not bool(value.isfinite().all())]
    if bad:
        warnings.warn(
            f"the {' and '.join(bad)} of a normalizer hold NaN or infinity, from rows that did:"
            " nonfinite='skip' leaves such rows out",
            stacklevel=4,
        )
