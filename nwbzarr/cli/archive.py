"""``nwbzarr check``: what an archive would refuse."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from nwbzarr.archive import check_archive
from nwbzarr.cli.options import add_common, parse_options

if TYPE_CHECKING:
    import argparse


def add_check(commands: Any) -> None:
    """Add ``check``."""
    command = commands.add_parser(
        "check",
        help="say what an archive would refuse of a session, and what to do",
        description=(
            "Look at depth, names, number and sizes of objects, links, the subject, and what nwbzarr validate finds. The "
            "exit status is 1 when something would be refused."
        ),
    )
    command.add_argument("url", metavar="URL", help="a session")
    command.add_argument("--dandi", action="store_true", required=True, help="the DANDI archive")
    add_common(command)
    command.set_defaults(run=_check)


def _check(parsed: argparse.Namespace) -> int:
    found = check_archive(parsed.url, storage_options=parse_options(parsed.option))
    if parsed.json:
        print(json.dumps(list(map(asdict, found)), indent=2))
    else:
        print("\n".join(map(str, found)) if found else "nothing would be refused")
    return 1 if any(finding.verdict == "refused" for finding in found) else 0
