"""Helpers that take whatever they are given by name, and save it."""

from __future__ import annotations

from tests.contract_cases import answers
from tests.contract_cases import written
from tests.rule_cases import Case

HELPER = """
import torch


def keep(path, {taken}):
    {body}
    torch.save({saved}, path)


def main(net, adam, path, more):
    keep(path, {given})
"""


def helper(saved: str, given: str, taken: str = "**others", body: str = "pass") -> str:
    """Return a helper and its caller."""
    return HELPER.format(saved=saved, given=given, taken=taken, body=body)


GIVEN = "net=net.state_dict(), adam=adam.state_dict()"
PAYLOADS: dict[str, tuple[Case, list[str]]] = {
    "all of it": (helper("others", GIVEN), ["main: net adam"]),
    "a dict of it": (helper("dict(others, version=1)", GIVEN), ["main: net adam version"]),
    "a dict that ends with it": (helper("dict(version=1, **others)", GIVEN), ["main: net adam version"]),
    "a display of it": (helper("{'version': 1, **others}", GIVEN), ["main: version net adam"]),
    "beside a parameter with a name": (
        helper("{'net': net, **others}", GIVEN, taken="net, **others"),
        ["main: net adam"],
    ),
    "beside arguments without a name": (
        helper("others", f"net, adam, {GIVEN}", taken="*args, **others"),
        ["main: net adam"],
    ),
    "nothing": (helper("dict(others, version=1)", ""), ["main: version"]),
    "a mapping that is not known": (
        helper("dict(others, version=1)", f"{GIVEN}, **more"),
        ["main: net adam version ..."],
    ),
}


@answers(PAYLOADS)
def test_what_is_given_by_name_is_saved(case: Case, expected: list[str]) -> None:
    assert [" ".join(sorted(each.split())) for each in written(case)] == [
        " ".join(sorted(each.split())) for each in expected
    ]
