"""Time one import statement in a fresh interpreter: ``python time_import.py "import pynwb"`` prints JSON."""

from __future__ import annotations

import json
import sys
import time


def main() -> None:
    code = compile(sys.argv[1], "statement", "exec")
    started = time.perf_counter()
    exec(code, {})  # noqa: S102 - the statement to time
    json.dump({"seconds": {"import": time.perf_counter() - started}}, sys.stdout)


if __name__ == "__main__":
    main()
