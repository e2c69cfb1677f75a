"""Draw what `arrays.py` has written as JSON: ``python draw_arrays.py figures.json figures.png``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

OURS = "nwbzarr"
STEPS = {
    "write": "write",
    "all": "read all",
    "second": "1 s, all channels",
    "windows": "random windows",
    "channel": "one channel",
}


def bars(axes: Any, steps: dict[str, Any], title: str) -> None:
    """Draw how many times as long each tool takes, one group a step."""
    shown = [step for step in STEPS if step in steps]
    tools = [tool for tool in dict.fromkeys(tool for step in shown for tool in steps[step]) if tool != OURS]
    height = 0.85 / max(len(tools), 1)
    for offset, tool in enumerate(tools):
        points = [
            (row + height * offset, steps[step][tool]["median"] / steps[step][OURS]["median"])
            for row, step in enumerate(shown)
            if "median" in steps[step].get(tool, {}) and "median" in steps[step].get(OURS, {})
        ]
        if points:
            places, ratios = zip(*points, strict=True)
            drawn = axes.barh(places, [ratio - 1 for ratio in ratios], left=1, height=0.9 * height, label=tool)
            axes.bar_label(drawn, [f"{ratio:.2g}x" for ratio in ratios], padding=2, fontsize=6)
    axes.set(xscale="log", title=title, xlabel=f"seconds, {OURS} = 1")
    axes.set_yticks([row + 0.4 for row in range(len(shown))], [STEPS[step] for step in shown])
    axes.invert_yaxis()
    axes.margins(x=0.2)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.legend(fontsize=6)


def lines(axes: Any, growth: dict[str, Any], title: str) -> None:
    """Draw the cost of a unit over the size, and the bound."""
    for step, outcomes in growth["steps"].items():
        points = [(growth["units"][name], one["median"]) for name, one in outcomes.items() if "median" in one]
        if points:
            base = points[0][1] / points[0][0]
            axes.plot(
                [unit for unit, _ in points], [took / unit / base for unit, took in points], "o-", label=STEPS[step]
            )
    axes.axhline(1.3, color="black", linestyle=":", linewidth=0.8, label="the most allowed")
    axes.set(xscale="log", title=title, xlabel=growth["unit"], ylabel="cost of one, smallest = 1", ylim=(0, 2))
    axes.legend(fontsize=6)


def main() -> None:
    report = json.loads(Path(sys.argv[1]).read_text())
    panels = []
    if "local" in report:
        panels.append((bars, report["local"]["synthetic"]["steps"], "local disk"))
    for between, steps in report.get("s3", {}).get("steps", {}).items():
        if OURS in steps["write"]:
            panels.append((bars, steps, f"S3, {between}"))
    panels += [(lines, found, f"growth of {unit}") for unit, found in report.get("growth", {}).items()]
    figure, axes = plt.subplots(len(panels), figsize=(8, 4.5 * len(panels)), layout="constrained", squeeze=False)
    for axis, (draw, found, title) in zip(axes[:, 0], panels, strict=True):
        draw(axis, found, title)
    figure.savefig(sys.argv[2], dpi=120)
    json.dump({}, sys.stdout)


if __name__ == "__main__":
    main()
