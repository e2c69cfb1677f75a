"""``nwbzarr convert``, ``compare`` and ``index``: sessions in other formats."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any

from nwbzarr.cli.options import add_common, add_options, parse_options, usage
from nwbzarr.interop.conversion import compare, convert, explain_conversion
from nwbzarr.interop.indexing import write_index

if TYPE_CHECKING:
    import argparse

#: Differences that are shown.
_SHOWN = 20


def add_convert(commands: Any) -> None:
    """Add ``convert``."""
    command = commands.add_parser(
        "convert",
        help="convert an HDF5 file to a store, or a store to an HDF5 file",
        description=(
            "Convert a session by structure: groups, datasets, attributes, links, references and cached namespaces come "
            "along, whatever extensions it uses. External links stay links. DST becomes an HDF5 file where its name ends "
            "with .nwb, .h5 or .hdf5, else a store. Nothing is visible before all of it is."
        ),
    )
    command.add_argument("src", metavar="SRC", help="a session in any format: a path, s3://..., https://...")
    command.add_argument("dst", metavar="DST", help="what to make")
    command.add_argument("--replace", action="store_true", help="replace a session that is there")
    command.add_argument("--resume", action="store_true", help="go on with a conversion that was cut off")
    command.add_argument("--keep-chunks", action="store_true", help="keep the shape of HDF5's chunks")
    command.add_argument("--dry-run", action="store_true", help="write nothing, and print how arrays would be laid out")
    command.add_argument("--check", action="store_true", help="then compare both, value by value")
    add_common(command)
    add_options(command, "--source-option", "an fsspec storage option for SRC alone")
    command.set_defaults(run=_convert)


def add_compare(commands: Any) -> None:
    """Add ``compare``."""
    command = commands.add_parser(
        "compare",
        help="list what two sessions, in any formats, do not have in common",
        description=(
            "Compare types, shapes, values, attributes, links and references of two sessions; how arrays are chunked and "
            f"compressed does not count. The first {_SHOWN} differences are shown. The exit status is 1 when there are any."
        ),
    )
    command.add_argument("left", metavar="LEFT", help="a session")
    command.add_argument("right", metavar="RIGHT", help="another one")
    add_common(command)
    command.set_defaults(run=_compare)


def add_index(commands: Any) -> None:
    """Add ``index``."""
    command = commands.add_parser(
        "index",
        help="keep the chunk index of an HDF5 file beside it, so that it opens quickly in place",
        description=(
            "Write URL.refs.json (kerchunk's form): where in the HDF5 file the chunks of every dataset are. nwbzarr finds it "
            "when the file is opened or linked to. It is bound to the file's size and ETag or date."
        ),
    )
    command.add_argument("url", metavar="URL", help="an NWB HDF5 file")
    add_common(command)
    command.set_defaults(run=_index)


def _convert(parsed: argparse.Namespace) -> int:
    options, own = parse_options(parsed.option), parse_options(parsed.source_option)
    source = own if own is not None else options
    if parsed.dry_run:
        if parsed.check or parsed.resume or parsed.replace:
            usage("--dry-run writes nothing: leave --check, --resume and --replace out", "convert")
        plan = explain_conversion(parsed.src, parsed.dst, source_options=source, keep_chunks=parsed.keep_chunks)
        print(json.dumps(plan.as_json(), indent=2) if parsed.json else plan)
        return 0
    report: Any = convert(
        parsed.src,
        parsed.dst,
        mode="w" if parsed.replace else "w-",
        storage_options=options,
        source_options=source,
        keep_chunks=parsed.keep_chunks,
        resume=parsed.resume,
    )
    found = list(islice(compare(parsed.src, parsed.dst, storage_options=options), _SHOWN)) if parsed.check else []
    if parsed.json:
        differences = {"differences": list(map(asdict, found))} if parsed.check else {}
        print(json.dumps({"url": report.url.text, "nbytes": report.nbytes, **differences}, indent=2))
    else:
        print("\n".join([str(report), *map(str, found), *(["no differences"] if parsed.check and not found else [])]))
    return 1 if found else 0


def _compare(parsed: argparse.Namespace) -> int:
    found = list(islice(compare(parsed.left, parsed.right, storage_options=parse_options(parsed.option)), _SHOWN))
    if parsed.json:
        print(json.dumps(list(map(asdict, found)), indent=2))
    else:
        print("\n".join(map(str, found)) if found else "no differences")
    return 1 if found else 0


def _index(parsed: argparse.Namespace) -> int:
    report = write_index(parsed.url, storage_options=parse_options(parsed.option))
    print(json.dumps({**asdict(report), "url": report.url.text}, indent=2) if parsed.json else report)
    return 0
