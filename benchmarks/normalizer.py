"""Measure the reference normalizer beside those of other packages: how exact it is, and what it costs."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import warnings
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from functools import partial
from typing import Any
from typing import Optional

import torch
from torch import Tensor

from benchmarks.accuracy import format_errors
from benchmarks.accuracy import list_cases
from benchmarks.launches import format_launches
from benchmarks.peers import Entrant
from benchmarks.peers import Maker
from benchmarks.peers import find_peers
from benchmarks.rounds import Bar
from benchmarks.rounds import Race
from benchmarks.rounds import run_races
from benchmarks.table import format_table
from flake8_ckpt.runtime.normalizers.running_mean_std import RunningMeanStd

EPSILON = 1e-8
# What the ratios of speed are of.
REFERENCE = "rsl_rl"
Size = tuple[int, int]
# Rows and width of the batches, and what update and normalize may cost on the CPU, of the reference.
SIZES: Mapping[Size, Optional[float]] = {
    (1, 64): 0.65,
    (64, 64): 0.55,
    (4096, 64): 0.3,
    (65536, 256): 0.4,
}
SMALL: Mapping[Size, Optional[float]] = dict.fromkeys([(1, 4), (8, 4), (16, 4), (32, 4)])
# A call is repeated within a round until it has seen so many values, so that a round takes some milliseconds.
VALUES_IN_A_ROUND = 10 * 4096 * 64
COMPILERS = ("c++", "g++", "clang++")


def make_ours(width: int, device: str, epsilon: float, **options: Any) -> Entrant:
    """Make the reference normalizer."""
    model = RunningMeanStd(width, epsilon=epsilon, device=device, **options)
    return Entrant(model.update_and_normalize, model.normalize, lambda: (model.mean, model.std), model.update)


def make_warm(make: Maker, x: Tensor) -> Entrant:
    """Make a normalizer and give it two batches, after which nothing is special any more."""
    entrant = make(x.shape[1], x.device.type, EPSILON)
    for _ in range(2):
        entrant.step(x)
    return entrant


def draw(size: Size, device: str) -> Tensor:
    """Return a batch of N(2,3)."""
    return (torch.randn(*size, generator=torch.Generator().manual_seed(0)) * 3 + 2).to(device)


def name_of(size: Size) -> str:
    """Return the size as rows x width."""
    return "x".join(map(str, size))


def repeats_of(size: Size, device: str) -> int:
    """Return how often a round makes each call: a device is asked to wait seldom, a CPU to spin seldom."""
    return 50 if device == "cuda" else max(1, min(25, VALUES_IN_A_ROUND // (size[0] * size[1])))


def copy_call(x: Tensor) -> Callable[[], object]:
    """Return a copy into a tensor that is there, the least that normalizing can cost."""
    target = torch.empty_like(x)
    return lambda: target.copy_(x)


def list_eager(makers: Mapping[str, Maker], size: Size, most: float | None, device: str) -> list[Race]:
    """Return two races at a size: update and normalize, and normalize alone beside a copy."""
    x = draw(size, device)
    repeats = repeats_of(size, device)
    has_bars = most is not None and device == "cpu"
    entrants = {name: make_warm(make, x) for name, make in makers.items()}
    skip = make_warm(partial(make_ours, nonfinite="skip"), x)
    steps = {name: partial(entrant.step, x) for name, entrant in {**entrants, "ours, skip": skip}.items()}
    calls = {name: partial(entrant.normalize, x) for name, entrant in entrants.items()}
    bars = [
        Bar("ours", REFERENCE, most if has_bars else None),
        Bar("ours, skip", "ours", 2.3 if has_bars else None),
    ]
    copy_bar = Bar("ours", "copy_", 3.5 if has_bars and size == (4096, 64) else None)
    return [
        Race(f"update and normalize {name_of(size)}", steps, REFERENCE, bars, repeats),
        Race(f"normalize {name_of(size)}", {"copy_": copy_call(x), **calls}, "copy_", [copy_bar], repeats),
    ]


def compile_step(entrant: Entrant, x: Tensor) -> Callable[[], object]:
    """Compile update and normalize as two graphs, and run them once."""
    assert entrant.update is not None
    update, normalize = (torch.compile(each, fullgraph=True) for each in (entrant.update, entrant.normalize))

    def step() -> object:
        update(x)
        return normalize(x)

    step()
    return step


def make_compiled_race(makers: Mapping[str, Maker], size: Size, device: str) -> Race:
    """Return the compiled race: beside a copy, and on the CPU beside the reference."""
    x = draw(size, device)
    calls = {"copy_": copy_call(x)}
    for name in ("ours", REFERENCE):
        if name in makers:
            calls[name] = compile_step(make_warm(makers[name], x), x)
    bar = Bar("ours", REFERENCE, 1.0) if device == "cpu" else Bar("ours", "copy_", 3.0)
    title = f"compiled update and normalize {name_of(size)}"
    return Race(title, calls, bar.under, [bar], repeats_of(size, device))


def capture(step: Callable[[], object]) -> Callable[[], object]:
    """Return a replay of a step as one CUDA graph."""
    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def make_replay_race(makers: Mapping[str, Maker], size: Size) -> Race:
    """Return the race of a captured graph against the same calls one by one, and against that of the reference."""
    x = draw(size, "cuda")
    calls: dict[str, Callable[[], object]] = {
        "eager": partial(make_warm(make_ours, x).step, x),
        "replay": capture(partial(make_warm(make_ours, x).step, x)),
    }
    bars = [Bar("replay", "eager", 0.25)]
    if REFERENCE in makers:
        calls[REFERENCE] = capture(partial(make_warm(makers[REFERENCE], x).step, x))
        bars.append(Bar("replay", REFERENCE, 0.6))
    return Race(
        f"CUDA graph, update and normalize {name_of(size)}", calls, "eager", bars, repeats_of(size, "cuda")
    )


def reason_not_to_compile(is_small: bool) -> str:
    """Return why nothing can be compiled here; "" where it can."""
    if is_small:
        return "that takes a minute, and the sizes are small"
    names = [os.environ["CXX"]] if "CXX" in os.environ else COMPILERS
    return "" if any(map(shutil.which, names)) else f"there is no C++ compiler: {', '.join(names)}"


def list_races(makers: Mapping[str, Maker], sizes: Mapping[Size, float | None], device: str) -> list[Race]:
    """Return all races of a device that need no compiler."""
    races = [race for size, most in sizes.items() for race in list_eager(makers, size, most, device)]
    return races + ([make_replay_race(makers, [*sizes][2])] if device == "cuda" else [])


def measure_speed(makers: Mapping[str, Maker], rounds: int, device: str, is_small: bool) -> str:
    """Run the races of a device."""
    sizes = SMALL if is_small else SIZES
    races = list_races(makers, sizes, device)
    reason = reason_not_to_compile(is_small)
    if not reason:
        try:
            races.append(make_compiled_race(makers, [*sizes][3 if device == "cuda" else 2], device))
        # torch.compile can be there and its compiler not work, for want of a header or a library.
        except RuntimeError as error:
            reason = str(error).partition("\n")[0]
    tables = run_races(races, rounds, device)
    return f"{tables}\n\ncompiled: not measured, {reason}" if reason else tables


def measure_device(device: str, rounds: int, is_small: bool) -> None:
    """Print all tables of a device."""
    name = torch.cuda.get_device_name() if device == "cuda" else f"{torch.get_num_threads()} threads"
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    print(f"## {device}: {name}, {versions}, {rounds} rounds\n")
    peers, absent = find_peers(device)
    rows = [(peer.name, peer.about) for peer in peers]
    rows += [(peer, f"absent: {reason}") for peer, reason in absent.items()]
    print(format_table(["peer", "what"], rows), end="\n\n", flush=True)
    others = {peer.name: peer.make for peer in peers}
    skipping = partial(make_ours, nonfinite="skip")
    exact = partial(skipping, accumulate_dtype=torch.float64)
    cases = list_cases(*((320, 200) if is_small else (65536, 3200)))
    print(format_errors({"ours": skipping, "ours, float64": exact, **others}, cases, device), end="\n\n")
    print(format_launches(others), end="\n\n")
    sys.stdout.flush()
    print(measure_speed({"ours": make_ours, **others}, rounds, device, is_small), end="\n\n")


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Print the tables of accuracy and of speed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.normalizer", description=__doc__)
    parser.add_argument("--rounds", type=int, default=30, help="how often each call is timed")
    parser.add_argument(
        "--small", action="store_true", help="tiny sizes, to see that it runs; no bar applies"
    )
    parser.add_argument(
        "--device", choices=["cpu", "cuda"], help="only this one; all that are there otherwise"
    )
    args = parser.parse_args(argv)
    if args.rounds < 1:
        parser.error("--rounds: at least 1 is needed")
    has_cuda = torch.cuda.is_available()
    if args.device == "cuda" and not has_cuda:
        parser.error("--device cuda: torch finds no CUDA device here; leave it out or say --device cpu")
    with warnings.catch_warnings():
        # A batch of one has no sample variance, as torch says; what that does is seen in the table.
        warnings.filterwarnings("ignore", message=r"(var|std)\(\): degrees of freedom")
        for device in [args.device] if args.device else ["cpu", "cuda"] if has_cuda else ["cpu"]:
            measure_device(device, args.rounds, args.small)
    if not has_cuda:
        print("CUDA: nothing was measured, there is no such device here")
    return 0


if __name__ == "__main__":
    sys.exit(main())
