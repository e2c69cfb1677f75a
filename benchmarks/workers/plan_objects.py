"""How many objects nwbzarr would cut an int16 array into: ``python plan_objects.py 108000000 384`` prints JSON."""

from __future__ import annotations

import json
import math
import sys

import numpy as np

from nwbzarr.layout.planning import plan_layout


def main() -> None:
    shape = tuple(map(int, sys.argv[1:]))
    layout = plan_layout(shape, np.dtype(np.int16))
    count = math.prod(math.ceil(whole / part) for whole, part in zip(shape, layout.objects, strict=True))
    json.dump({"objects": count, "shape": layout.objects, "chunks": layout.chunks}, sys.stdout)


if __name__ == "__main__":
    main()
