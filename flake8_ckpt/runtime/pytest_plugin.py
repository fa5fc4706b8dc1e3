"""The pytest fixture `ckpt_roundtrip`; nothing is imported before a test uses it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

import pytest

if TYPE_CHECKING:
    from flake8_ckpt.runtime.verifier.report import Report


@pytest.fixture
def ckpt_roundtrip(tmp_path: Path) -> Callable[..., Report]:
    """Return `flake8_ckpt.runtime.assert_roundtrip`, which leaves its files in `tmp_path`.

    It takes presets as the function does: `ckpt_roundtrip(make, **presets.stable_baselines3())`.
    """
    return partial(check, tmp_path)


def check(folder: Path, /, *arguments: Any, **options: Any) -> Report:
    """Assert a round trip, or fail with one line where torch is not installed."""
    __tracebackhide__ = True
    runtime = import_module("flake8_ckpt.runtime")
    try:
        assert_roundtrip: Callable[..., Report] = runtime.assert_roundtrip
    except ModuleNotFoundError as error:
        pytest.fail(str(error), pytrace=False)
    return assert_roundtrip(*arguments, **{"folder": folder, **options})
