"""The ratios as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from running import OURS, PEERS

if TYPE_CHECKING:
    from pathlib import Path

    from timing import Steps

SHOWN = ("write", "open and touch", "import")


def plot_ratios(steps: Steps, place: Path) -> None:
    """Draw how many times as long each peer takes, one group of bars a step."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
    for offset, peer in enumerate(PEERS):
        found = [(row, steps[step]) for row, step in enumerate(SHOWN) if peer in steps[step]]
        ratios = [tools[peer].middle / tools[OURS].middle for _, tools in found]
        bars = axes.barh([row + 0.35 * offset for row, _ in found], ratios, height=0.3, label=peer)
        axes.bar_label(bars, fmt="%.3gx", padding=2)
    axes.set(xscale="log", xlabel=f"seconds, {OURS} = 1", yticks=range(len(SHOWN)), yticklabels=SHOWN)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.set_xlim(left=0.5)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.legend()
    figure.savefig(place)
