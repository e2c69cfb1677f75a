"""Make the synthetic recording, or tell what reading one must give; prints JSON.

``python save_recording.py make probe.npy --seconds 12``, ``python save_recording.py digest probe.npy --rows 360000``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from array_steps import READS, WINDOWS, digest_of, selections
from recording import Recording


def digests(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return step to digest, of the first rows."""
    samples = np.load(arguments.place, mmap_mode="r")[: arguments.rows]
    steps = READS if samples.ndim > 1 else ("all",)
    found = {}
    for step in steps:
        chosen = selections(step, samples.shape, round(arguments.rate), arguments.windows)
        found[step] = digest_of(samples[selection] for selection in chosen)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("task", choices=("make", "digest"))
    add("place", type=Path)
    add("--seconds", type=float)
    add("--rows", type=int)
    add("--rate", type=float, default=30_000.0)
    add("--windows", type=int, default=WINDOWS)
    arguments = parser.parse_args()
    if arguments.task == "make":
        Recording(arguments.seconds).save(arguments.place)
        json.dump({}, sys.stdout)
    else:
        json.dump(digests(arguments), sys.stdout)


if __name__ == "__main__":
    main()
