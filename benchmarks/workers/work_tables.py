"""One task on tables with one tool, in a fresh interpreter: prints the seconds of its steps, and what it saw, as JSON.

``python work_tables.py nwbzarr write electrodes /tmp/session.nwb.zarr --count 10000``. What stands before the first
step (the start of Python, imports) is not timed.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings

from session import TOOLS
from table_sessions import MAKE, READ
from work_session import Steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tool", choices=TOOLS)
    parser.add_argument("task", choices=("write", "read"))
    parser.add_argument("what", choices=sorted({*MAKE, *READ}))
    parser.add_argument("place")
    parser.add_argument("--count", type=int, default=0)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    library, io_class = TOOLS[arguments.tool].load()
    # What PyNWB has imported by now, ours imports when it is needed.
    import pandas as pd  # noqa: F401

    for name in ("TimeIntervals", "Units", "ElectrodesTable"):
        getattr(library, name, None)

    steps, seen = Steps(), {}
    if arguments.task == "write":
        session = MAKE[arguments.what](library, arguments.count)
        steps.done("make")
        with io_class(arguments.place, mode="w") as io:
            io.write(session)
        steps.done("write")
    else:
        with io_class(arguments.place, mode="r") as io:
            session = io.read()
            steps.done("open")
            seen = READ[arguments.what](session)
            steps.done("read")
    json.dump({**steps.report(), "seen": seen}, sys.stdout)


if __name__ == "__main__":
    main()
