"""How far running statistics, and what they normalize, are from a two-pass computation in float64."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from benchmarks.peers import Entrant
from benchmarks.peers import Maker
from benchmarks.table import format_table

WIDTH = 64
# As good as none, so that all normalize by one formula; some refuse zero.
EPSILON = 1e-30
# Some clip at five standard deviations: only values below this many are compared.
INNER = 4.0
OUTPUT_BAR = 5e-7


@dataclass(frozen=True)
class Case:
    """Rows, float32 of shape `(n, WIDTH)`, given in batches, and the largest errors that are allowed."""

    name: str
    rows: Tensor
    batch: int
    std_bar: float = 1e-8
    mean_bar: float = 1e-8


@dataclass(frozen=True)
class Errors:
    """The worst relative error of any column, and of the output relative to it or to one, if that is more."""

    std: float
    mean: float
    output: float


@dataclass(frozen=True)
class Measure:
    """One table: an error, and how large ours may be."""

    title: str
    error: Callable[[Errors], float]
    bar: Callable[[Case], float]


MEASURES = (
    Measure("relative error of the standard deviation", lambda errors: errors.std, lambda case: case.std_bar),
    Measure("relative error of the mean", lambda errors: errors.mean, lambda case: case.mean_bar),
    Measure("error of the normalized output", lambda errors: errors.output, lambda case: OUTPUT_BAR),
)


def list_cases(number: int, few: int) -> list[Case]:
    """Return the cases: of `number` rows each, or of `few` where the batches are small."""
    large = number // 16
    generator = torch.Generator().manual_seed(0)

    def draw(rows: int, mean: float | Tensor, std: float) -> Tensor:
        noise = torch.randn(rows, WIDTH, generator=generator, dtype=torch.float64)
        return (noise * std + mean).float()

    drift = torch.linspace(0, 100, number, dtype=torch.float64)[:, None]
    holes = draw(number, 3, 2)
    holes[torch.rand(number, generator=generator) < 0.1, 0] = torch.nan
    return [
        Case("N(3,2)", draw(number, 3, 2), large),
        Case(f"N(3,2), one batch of {large:,}", draw(large, 3, 2), large),
        Case(f"N(100,1), {few:,} rows", draw(few, 100, 1), few // 100),
        Case("N(1e6,1)", draw(number, 1e6, 1), large, std_bar=1e-9),
        Case("N(1e4,1e-2)", draw(number, 1e4, 1e-2), large, std_bar=1e-9),
        Case("N(3,2), batches of 1", draw(few, 3, 2), 1),
        Case("mean drifts 0 to 100", draw(number, drift, 1), large),
        Case("N(3,2), 10% NaN rows", holes, large, std_bar=2e-8, mean_bar=2e-8),
    ]


def measure_errors(case: Case, entrant: Entrant, device: str) -> Errors:
    """Give the rows to a normalizer batch by batch, then compare."""
    finite = case.rows[case.rows.isfinite().all(1)]
    for batch in torch.split(case.rows.to(device), case.batch):
        entrant.step(batch)
    output = as_float64(entrant.normalize(finite[: case.batch * 4].to(device)))
    mean, std = map(as_float64, entrant.statistics())
    exact = finite.double()
    true_mean = exact.mean(0)
    true_std = (exact - true_mean).square().mean(0).sqrt()
    expected = (exact[: case.batch * 4] - true_mean) / true_std
    difference = (output - expected).abs() / expected.abs().clamp(min=1)
    return Errors(
        worst(std / true_std - 1), worst(mean / true_mean - 1), worst(difference[expected.abs() < INNER])
    )


def as_float64(values: object) -> Tensor:
    """Return a tensor or an array as float64 on the CPU."""
    return torch.as_tensor(values).detach().cpu().double()


def worst(errors: Tensor) -> float:
    """Return the largest absolute value, NaN if there is one."""
    return float(errors.abs().max())


def format_errors(makers: dict[str, Maker], cases: Sequence[Case], device: str) -> str:
    """Measure all, and return a table for each kind of error; the first normalizer is held to the bar."""
    errors = [
        [measure_errors(case, make(WIDTH, device, EPSILON), device) for make in makers.values()]
        for case in cases
    ]
    return "\n\n".join(format_measure(measure, list(makers), cases, errors) for measure in MEASURES)


def format_measure(
    measure: Measure, names: Sequence[str], cases: Sequence[Case], errors: Sequence[Sequence[Errors]]
) -> str:
    """Lay out one kind of error: a row for each case, a column for each normalizer."""
    rows = []
    for case, found in zip(cases, errors):
        values, bar = [measure.error(each) for each in found], measure.bar(case)
        met = "yes" if values[0] <= bar else "NO"
        rows.append([case.name, *(f"{value:.2e}" for value in values), f"{bar:.0e}", met])
    return f"{measure.title}\n\n{format_table(['case', *names, 'bar', 'met'], rows)}"
