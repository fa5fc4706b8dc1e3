"""The tutorial does what it shows, and its picture is drawn from what the classes do now."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from tests.tutorial import BLOCK
from tests.tutorial import NAME
from tests.tutorial import alike
from tests.tutorial import with_outputs

DOCS = Path(__file__).parent.parent.parent / "docs"
TUTORIAL = (DOCS / "roundtrip.md").read_text(encoding="utf-8")
HELLO = "```python\n# hello.py\nprint('hello')\n```\n\nSay it:\n\n```console\n$ python hello.py\nhello\n```\n"


@pytest.fixture(scope="module")
def plot() -> dict[str, Any]:
    """Return the names of the script that draws the picture."""
    return runpy.run_path(str(DOCS / "roundtrip_plot.py"))


@pytest.fixture(scope="module")
def numbers() -> dict[str, dict[str, list[float]]]:
    """Return the numbers that the picture was drawn from."""
    curves: dict[str, dict[str, list[float]]] = json.loads((DOCS / "roundtrip.json").read_text("utf-8"))
    return curves


def test_no_step_fails() -> None:
    """That the outputs are those of today is what `python -m tests.docs --check` holds."""
    assert "Traceback" not in TUTORIAL


def test_every_file_is_used() -> None:
    blocks = BLOCK.findall(TUTORIAL)
    for index, (kind, body) in enumerate(blocks):
        if kind == "python":
            (name,) = NAME.findall(body)
            later = "".join(text for _, text in blocks[index + 1 :])
            assert re.search(rf"^\$ .*\b{name}|^from {Path(name).stem} import", later, re.MULTILINE), name


def test_right_output_stays() -> None:
    assert with_outputs(HELLO) == HELLO


def test_wrong_output_is_replaced() -> None:
    assert with_outputs(HELLO.replace("\nhello\n", "\ngoodbye\n")) == HELLO


def test_file_without_a_name_is_refused() -> None:
    with pytest.raises(AssertionError, match="does not name a file: print"):
        with_outputs(HELLO.replace("# hello.py\n", ""))


@pytest.mark.parametrize(
    "printed", ["mean 0.123457, 12.5 apart, 3 values", "mean 0.123461, 12.5 apart, 3 values"]
)
def test_last_digits_may_differ(printed: str) -> None:
    assert alike("mean 0.123456, 12.5 apart, 3 values", printed)


@pytest.mark.parametrize("printed", ["mean 0.1236, 3 values", "mean 0.123456, 4 values", "mean 0.123456"])
def test_other_numbers_are_noticed(printed: str) -> None:
    assert not alike("mean 0.123456, 3 values", printed)


def test_time_and_file_size_may_differ() -> None:
    assert alike("1 passed in 0.51s", "1 passed in 1.02s") and not alike(
        "1 passed in 0.51s", "2 passed in 0.51s"
    )
    assert alike("a.pt: torch zip, 2.2 KiB, 3 tensors", "a.pt: torch zip, 980 bytes, 3 tensors")


def test_picture_shows_what_the_classes_do(plot: dict[str, Any], numbers: dict[str, Any]) -> None:
    curves = plot["run"]()
    assert curves.keys() == numbers.keys() and curves.keys() == plot["STYLES"].keys()
    for name, panels in curves.items():
        for panel, values in panels.items():
            assert values == pytest.approx(numbers[name][panel], abs=2e-3), (name, panel)


def test_picture_was_drawn_from_these_numbers(plot: dict[str, Any]) -> None:
    described = plot["digest"]((DOCS / "roundtrip.json").read_text(encoding="utf-8"))
    assert described in (DOCS / "roundtrip.svg").read_text(encoding="utf-8")


def test_words_about_the_picture_are_true(plot: dict[str, Any]) -> None:
    whole, kept, lost = plot["run"]().values()
    after = {panel: values[-len(lost[panel]) :] for panel, values in whole.items()}
    assert kept == after and lost["returns"][0] < 0.1 * after["returns"][0]
    wrong = [abs(ours - right) / right for ours, right in zip(lost["std"], after["std"])]
    assert f"wrong by up to {max(wrong):.0%}" in TUTORIAL and wrong[-1] < 0.1 * max(wrong)


def test_script_draws_the_picture(plot: dict[str, Any], numbers: dict[str, Any], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the picture is drawn with matplotlib")
    plot["draw"](numbers, tmp_path / "drawn.svg", "numbers of a test")
    drawn = (tmp_path / "drawn.svg").read_text(encoding="utf-8")
    assert all(text in drawn for text in ("numbers of a test", *plot["STYLES"], "saved and resumed"))
