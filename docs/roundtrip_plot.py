"""Draw docs/roundtrip.svg, a return normalizer resumed with and without its accumulator, from a seeded run.

`python docs/roundtrip_plot.py` writes the picture, and beside it the numbers it was drawn from; needs matplotlib.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from pathlib import Path

import torch

from flake8_ckpt.runtime import DiscountedReturnNormalizer
from flake8_ckpt.runtime import load_compatible

PICTURE = Path(__file__).with_name("roundtrip.svg")
NUMBERS = PICTURE.with_suffix(".json")
ENVIRONMENTS, STEPS, RESUMED_AT, EVERY = 16, 800, 200, 4
# What is drawn of each run: the mean of all accumulators, and what rewards are divided by.
PANELS = {
    "returns": "discounted return,\nmean of 16 environments",
    "std": "standard deviation\nthat rewards are divided by",
}
STYLES = {
    "uninterrupted": {"color": "#bbbbbb", "linewidth": 5},
    "resumed with the accumulator": {"color": "#1b6ca8", "linewidth": 1.6, "linestyle": "--"},
    "resumed without it": {"color": "#c8442b", "linewidth": 1.6},
}
Curves = dict[str, dict[str, list[float]]]


def run() -> Curves:
    """Return what each run holds at every fourth step; rewards and ends of episodes are the same in all."""
    random = torch.Generator().manual_seed(0)
    rewards = torch.randn(STEPS, ENVIRONMENTS, dtype=torch.float64, generator=random) + 1
    ends = torch.rand(STEPS, ENVIRONMENTS, generator=random) < 1 / 200
    runs = {"uninterrupted": DiscountedReturnNormalizer(ENVIRONMENTS)}
    curves: Curves = {name: {panel: [] for panel in PANELS} for name in STYLES}
    for step in range(STEPS):
        if step == RESUMED_AT:
            runs |= resume(runs["uninterrupted"])
        for name, normalizer in runs.items():
            normalizer.update(rewards[step], ends[step])
            if step % EVERY == 0:
                curves[name]["returns"].append(round(normalizer.returns.mean().item(), 3))
                curves[name]["std"].append(round(normalizer.statistics.std.item(), 3))
    return curves


def resume(trained: DiscountedReturnNormalizer) -> dict[str, DiscountedReturnNormalizer]:
    """Return two new normalizers: one with the whole checkpoint, one with a checkpoint that lacks `returns`."""
    _, *names = STYLES
    whole, part = (DiscountedReturnNormalizer(ENVIRONMENTS) for _ in names)
    state = trained.state_dict()
    whole.load_state_dict(state)
    del state["returns"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        load_compatible(part, state, added="returns")
    return dict(zip(names, (whole, part)))


def digest(numbers: str) -> str:
    """Return what the picture says of the numbers that it was drawn from."""
    return f"numbers {hashlib.sha256(numbers.encode()).hexdigest()}"


def draw(curves: Curves, path: Path, description: str) -> None:
    """Draw all runs, a panel for each quantity, with the moment of the resume."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    matplotlib.rcParams.update({"svg.hashsalt": "roundtrip", "font.size": 10})
    figure, panels = pyplot.subplots(len(PANELS), sharex=True, figsize=(8, 5.2), layout="constrained")
    for axes, (panel, label) in zip(panels, PANELS.items()):
        for name, style in STYLES.items():
            values = curves[name][panel]
            axes.plot(range(STEPS - EVERY * len(values), STEPS, EVERY), values, label=name, **style)
        axes.axvline(RESUMED_AT, color="black", linewidth=0.8, linestyle=":")
        axes.set_ylabel(label)
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.25)
    panels[-1].set_xlabel("step")
    panels[-1].annotate("saved and resumed", (RESUMED_AT, 1), (5, 3), textcoords="offset points")
    panels[0].legend(loc="lower right")
    metadata = {"Date": None, "Description": description} if path.suffix == ".svg" else None
    figure.savefig(path, metadata=metadata, dpi=110)


def main() -> None:
    """Run, and write the numbers and the picture."""
    curves = run()
    numbers = json.dumps(curves) + "\n"
    NUMBERS.write_text(numbers, encoding="utf-8")
    draw(curves, PICTURE, digest(numbers))


if __name__ == "__main__":
    main()
