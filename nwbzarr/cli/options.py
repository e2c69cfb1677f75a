"""Arguments that commands share, and how they are understood."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


def add_common(command: argparse.ArgumentParser) -> None:
    """Give a command ``--json`` and ``--option``."""
    command.add_argument("--json", action="store_true", help="print JSON for programs")
    add_options(command, "--option", "an fsspec storage option")


def add_options(command: argparse.ArgumentParser, name: str, what: str) -> None:
    """Give a command an argument for storage options."""
    command.add_argument(
        name,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help=f"{what}; VALUE may be JSON. May be repeated: {name} anon=true",
    )


def parse_options(pairs: Sequence[str]) -> dict[str, Any] | None:
    """Return storage options of NAME=VALUE texts; None when there are none, so that defaults apply."""
    options: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            usage(f"--option takes NAME=VALUE, but {pair!r} came")
        try:
            options[name] = json.loads(value)
        except ValueError:
            options[name] = value
    return options or None


def usage(message: str, command: str = "demo") -> NoReturn:
    """Say how a command is used wrongly, and end with status 2."""
    print(f"nwbzarr: {message} (nwbzarr {command} --help)", file=sys.stderr)
    raise SystemExit(2)
