"""Notebooks through nbqa: cells are checked as one file, which sees the project and is no part of it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.front_end import BASE
from tests.front_end import POLICY
from tests.front_end import run
from tests.front_end import write


def notebook(*cells: str) -> str:
    parts: list[dict[str, object]] = [
        {
            "cell_type": "code",
            "id": str(number),
            "metadata": {},
            "outputs": [],
            "execution_count": None,
            "source": text,
        }
        for number, text in enumerate(cells)
    ]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return json.dumps({"cells": parts, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5})


def test_notebook_names_cell_and_line(tmp_path: Path) -> None:
    head, _, body = POLICY.partition("\n\n\n")
    write(
        tmp_path,
        {"train.ipynb": notebook("%matplotlib inline\n" + head, body), "base.py": BASE, "setup.cfg": ""},
    )
    for command in (["flake8", "train.ipynb", "--select=CKP"], ["flake8_ckpt", "train.ipynb"]):
        found = run(tmp_path, "-m", "nbqa", *command)
        assert (found.code, found.out.count("CKP101")) == (1, 1), found
        assert found.out.startswith("train.ipynb:cell_2:4:9: CKP101 'mean' is changed by update()")
