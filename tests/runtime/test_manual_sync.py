"""Rows that wait in `sync="manual"` until `sync` takes them into the statistics."""

from __future__ import annotations

import torch

from flake8_ckpt.runtime.normalizers.running_mean_std import RunningMeanStd
from tests.runtime.reference import draw
from tests.runtime.reference import errors
from tests.runtime.reference import fed


def test_manual_mode_waits_for_sync(device: torch.device) -> None:
    rows = draw(50, 4, 3, 2, device)
    normalizer = fed(RunningMeanStd(4, sync="manual", device=device), [rows])
    assert normalizer.count.item() == 0
    assert torch.equal(normalizer(rows), rows)
    normalizer.sync()
    normalizer.sync()
    assert normalizer.count.item() == 50
    assert max(errors(normalizer, rows)) <= 1e-12


def test_manual_mode_forgets_waiting_rows(device: torch.device) -> None:
    normalizer = fed(RunningMeanStd(4, sync="manual", device=device), [draw(50, 4, 3, 2, device)])
    normalizer.reset()
    normalizer.sync()
    assert normalizer.count.item() == 0


def test_manual_mode_restores_waiting_rows(device: torch.device) -> None:
    rows = draw(50, 4, 3, 2, device)
    normalizer = fed(RunningMeanStd(4, sync="manual", device=device), [rows])
    fresh = RunningMeanStd(4, sync="manual", device=device)
    fresh.load_state_dict(normalizer.state_dict())
    fresh.sync()
    assert max(errors(fresh, rows)) <= 1e-12
