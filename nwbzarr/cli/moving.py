"""``nwbzarr links``, ``relink``, ``copy``, ``pull``, ``export`` and ``pack``: stores that link to each other."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from nwbzarr.cli.options import add_common, add_options, parse_options, usage
from nwbzarr.io import NWBZarrIO
from nwbzarr.moving.copying import copy
from nwbzarr.moving.links import links, relink
from nwbzarr.moving.packing import pack
from nwbzarr.moving.pulling import pull

if TYPE_CHECKING:
    import argparse


def add_moving(commands: Any) -> None:
    """Add the commands of this module."""
    _add_links(commands)
    _add_relink(commands)
    _add_copy(commands)
    _add_pull(commands)
    _add_export(commands)
    _add_pack(commands)


def _add_links(commands: Any) -> None:
    command = commands.add_parser(
        "links",
        help="list every link of a session, where it points, and whether it gets there",
        description="Follow every link of a session. The exit status is 1 when one does not resolve, or is not trusted.",
    )
    command.add_argument("url", metavar="URL", help="a session")
    _add_trust(command)
    add_common(command)
    command.set_defaults(run=_links)


def _add_relink(commands: Any) -> None:
    command = commands.add_parser(
        "relink",
        help="have links point elsewhere, after stores were moved",
        description="Change where links of a session lead. OLD and NEW are stores, or folders of stores.",
    )
    command.add_argument("url", metavar="URL", help="a session")
    command.add_argument(
        "--from",
        dest="changes",
        nargs=2,
        action="append",
        required=True,
        metavar=("OLD", "NEW"),
        help="may be repeated",
    )
    command.add_argument("--dry-run", action="store_true", help="change nothing, and print what would change")
    add_common(command)
    command.set_defaults(run=_relink)


def _add_copy(commands: Any) -> None:
    command = commands.add_parser(
        "copy",
        help="copy a session, or all that it links to",
        description=(
            "Copy stored objects as they are. Links of the copy lead to the originals; with --follow all that is linked to "
            "is copied into the folder DST as well, and links between the copies stay relative."
        ),
    )
    command.add_argument("src", metavar="SRC", help="a session")
    command.add_argument("dst", metavar="DST", help="where the copy goes; a folder with --follow")
    command.add_argument("--follow", action="store_true", help="copy what links lead to as well")
    command.add_argument("--replace", action="store_true", help="replace sessions that are there")
    _add_trust(command)
    add_common(command)
    add_options(command, "--source-option", "an fsspec storage option for SRC alone")
    command.set_defaults(run=_copy)


def _add_pull(commands: Any) -> None:
    command = commands.add_parser(
        "pull",
        help="make data of what a session links to elsewhere, in its own store",
        description="Copy into a session all that its links to other stores lead to; then it needs none of them.",
    )
    command.add_argument("url", metavar="URL", help="a session")
    _add_trust(command)
    add_common(command)
    command.set_defaults(run=_pull)


def _add_export(commands: Any) -> None:
    command = commands.add_parser(
        "export",
        help="write a self-contained copy of a session",
        description="Write a copy that needs no other store. --inline says so: links to other stores become data.",
    )
    command.add_argument("src", metavar="SRC", help="a session")
    command.add_argument("dst", metavar="DST", help="the store to make")
    command.add_argument("--inline", action="store_true", required=True, help="make data of what is linked")
    command.add_argument("--replace", action="store_true", help="replace a session that is there")
    _add_trust(command)
    add_common(command)
    command.set_defaults(run=_export)


def _add_pack(commands: Any) -> None:
    command = commands.add_parser(
        "pack",
        help="put a session into one zip file, which opens in place",
        description="Put the objects of a store into one zip file as they are. It opens from a disk, over HTTP, from S3.",
    )
    command.add_argument("src", metavar="SRC", help="a session")
    command.add_argument("dst", metavar="DST", help="the file, such as raw.nwb.zarr.zip")
    command.add_argument("--replace", action="store_true", help="replace a file that is there")
    add_common(command)
    command.set_defaults(run=_pack)


def _add_trust(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="URL[=JSON]",
        help="follow links to stores below this URL, with these storage options. May be repeated",
    )


def _trust(texts: list[str]) -> dict[str, Any] | None:
    made: dict[str, Any] = {}
    for text in texts:
        url, equals, options = text.partition("={")
        try:
            made[url] = json.loads("{" + options) if equals else {}
        except ValueError:
            usage(f"--trust takes URL or URL={{...}} with JSON, but {text!r} came", "links")
    return made or None


def _links(parsed: argparse.Namespace) -> int:
    found = links(parsed.url, storage_options=parse_options(parsed.option), trust=_trust(parsed.trust))
    if parsed.json:
        print(json.dumps(list(map(asdict, found)), indent=2))
    else:
        print("\n".join(map(str, found)) if found else "no links")
    return 0 if all(link.state == "resolves" for link in found) else 1


def _relink(parsed: argparse.Namespace) -> int:
    changes = dict(parsed.changes)
    found = relink(parsed.url, changes, storage_options=parse_options(parsed.option), dry_run=parsed.dry_run)
    print(json.dumps(list(map(asdict, found)), indent=2) if parsed.json else "\n".join(map(str, found)))
    return 0


def _copy(parsed: argparse.Namespace) -> int:
    options, own = parse_options(parsed.option), parse_options(parsed.source_option)
    found = copy(
        parsed.src,
        parsed.dst,
        follow=parsed.follow,
        mode="w" if parsed.replace else "w-",
        storage_options=options,
        source_options=own if own is not None else options,
        trust=_trust(parsed.trust),
    )
    print(json.dumps(list(map(asdict, found)), indent=2) if parsed.json else "\n".join(map(str, found)))
    return 0


def _pull(parsed: argparse.Namespace) -> int:
    report = pull(parsed.url, storage_options=parse_options(parsed.option), trust=_trust(parsed.trust))
    print(json.dumps({"url": report.url.text, "nbytes": report.nbytes}, indent=2) if parsed.json else report)
    return 0


def _export(parsed: argparse.Namespace) -> int:
    options, trust = parse_options(parsed.option), _trust(parsed.trust)
    with NWBZarrIO(parsed.src, "r", storage_options=options, trust=trust) as source:
        mode = "w" if parsed.replace else "w-"
        with NWBZarrIO(parsed.dst, mode, manager=source.manager, storage_options=options) as io:
            report = io.export(source)
    print(json.dumps({"url": report.url.text, "nbytes": report.nbytes}, indent=2) if parsed.json else report)
    return 0


def _pack(parsed: argparse.Namespace) -> int:
    options = parse_options(parsed.option)
    report = pack(
        parsed.src, parsed.dst, mode="w" if parsed.replace else "w-", storage_options=options, source_options=options
    )
    print(json.dumps(asdict(report), indent=2) if parsed.json else report)
    return 0
