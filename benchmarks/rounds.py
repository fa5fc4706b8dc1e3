"""Time calls round robin in one process, and hold their ratios against bars."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import torch

from benchmarks.table import format_table

HEAD = ("call", "minimum us", "median us", "of minima", "median of rounds")
BAR_HEAD = ("what", "ratio", "of minima", "median of rounds", "bar", "met")
# By how many of the two ratios are at most the bar.
VERDICTS = ("NO", "open", "yes")
MICROSECOND = 1e-6
Seconds = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Bar:
    """How much one call may cost of another; `None` where no bar applies."""

    over: str
    under: str
    most: float | None


@dataclass(frozen=True)
class Race:
    """Calls that are compared, and the one that the others are a ratio of."""

    title: str
    calls: Mapping[str, Callable[[], object]]
    reference: str
    bars: Sequence[Bar]
    repeats: int


def time_rounds(race: Race, rounds: int, device: str) -> Seconds:
    """Return the seconds of each call in each round; a round makes every call, after one round to warm up."""
    seconds: dict[str, list[float]] = {name: [] for name in race.calls}
    # A collection now and then would be all that one sees of the fastest calls.
    gc.collect()
    gc.disable()
    try:
        for at in range(-1, rounds):
            for name, call in race.calls.items():
                used = time_call(call, race.repeats, device)
                if at >= 0:
                    seconds[name].append(used)
    finally:
        gc.enable()
    return seconds


def time_call(call: Callable[[], object], repeats: int, device: str) -> float:
    """Return the seconds of one call, the mean of some, until the device has done them."""
    synchronize(device)
    begin = time.perf_counter()
    for _ in range(repeats):
        call()
    synchronize(device)
    return (time.perf_counter() - begin) / repeats


def synchronize(device: str) -> None:
    """Wait for the device."""
    if device == "cuda":
        torch.cuda.synchronize()


def ratios_of(seconds: Seconds, over: str, under: str) -> tuple[float, float]:
    """Return the ratio of the minima, and the median of the ratios within a round."""
    first, second = seconds[over], seconds[under]
    return min(first) / min(second), median(a / b for a, b in zip(first, second))


def format_seconds(race: Race, seconds: Seconds) -> str:
    """Lay out what was timed, with ratios of the reference, if it was there."""
    rows = []
    for name, values in seconds.items():
        numbers = [f"{each / MICROSECOND:.1f}" for each in (min(values), median(values))]
        ratios = ratios_of(seconds, name, race.reference) if race.reference in seconds else ()
        rows.append([name, *numbers, *([f"{each:.2f}x" for each in ratios] or ["-", "-"])])
    return f"{race.title}, ratios of {race.reference}\n\n{format_table(HEAD, rows)}"


def judge(race: Race, seconds: Seconds) -> list[list[str]]:
    """Return a row for each bar; where the two ratios disagree, noise has decided and the answer is open."""
    rows = []
    for bar in race.bars:
        what = [race.title, f"{bar.over} / {bar.under}"]
        most = "-" if bar.most is None else f"{bar.most:.2f}x"
        absent = sorted({bar.over, bar.under} - seconds.keys())
        if absent:
            rows.append([*what, "-", "-", most, f"not measured: {', '.join(absent)} absent"])
            continue
        minima, middle = ratios_of(seconds, bar.over, bar.under)
        verdict = "-" if bar.most is None else VERDICTS[(minima <= bar.most) + (middle <= bar.most)]
        rows.append([*what, f"{minima:.2f}x", f"{middle:.2f}x", most, verdict])
    return rows


def run_races(races: Sequence[Race], rounds: int, device: str) -> str:
    """Run all races; return their tables, and that of the bars."""
    tables, rows = [], []
    for race in races:
        seconds = time_rounds(race, rounds, device)
        tables.append(format_seconds(race, seconds))
        rows += judge(race, seconds)
    return "\n\n".join([*tables, f"bars\n\n{format_table(BAR_HEAD, rows)}"])
