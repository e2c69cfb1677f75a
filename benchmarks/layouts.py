"""Tables from which the defaults of the layout planner are argued: codecs by kind of data, chunks, shards.

``python benchmarks/layouts.py --json layouts.json`` takes three minutes of processor time; ``--tables`` and ``--kinds`` make it
less. Wall-clock figures (chunks, shards) want an idle machine, those of codecs are processor time. Needs pcodec.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layout_codecs import decoded_bytes, exchange_all, measure
from layout_kinds import all_kinds
from layout_shapes import CHUNK_HEAD, SHARD_HEAD, compare_chunks, compare_shards
from reporting import describe_machine, load, tell_versions
from running import Interpreter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

TABLES = ("codecs", "zarr", "chunks", "shards")

NOTES = {
    "codecs": "Decoded MB for each processor second of one thread, medians of {repeats} turns; {count} chunks where the data suffice.",
    "zarr": "One small chunk of every kind that the codec takes; yes means the same values for all of them.",
    "chunks": (
        "int16 x 384 channels, 12 s, shards of at most 128 MiB, local disk, cached by the system; medians of {repeats}, in "
        "brackets processor ms (for speeds: processor seconds of one GB), then what is decoded for it."
    ),
    "shards": "The same for 24 s, chunks of (10000, 96); objects are shards.",
}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("--tables", nargs="+", choices=TABLES, default=TABLES, help="which tables (all)")
    add("--repeats", type=int, default=5, help="measurements of each step (5)")
    add("--count", type=int, default=3, help="chunks of each kind of data (3)")
    add("--kinds", default="", help="only kinds whose name contains this")
    add("--folder", help="where sessions are written (the temporary folder)")
    add("--json", type=Path, help="write all figures there")
    return parser.parse_args()


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def codec_tables(arguments: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a table of codecs for each kind of data, with the figures."""
    for kind in all_kinds(arguments.count):
        if arguments.kinds not in kind.name:
            continue
        print(f"  {kind.name}", file=sys.stderr)
        found = measure(kind, arguments.repeats)
        title = f"### {kind.name}: {len(kind.chunks)} of {kind.shape}, {decoded_bytes(kind) / 1e6:.3g} MB each"
        rows = [[name, *figures.cells()] for name, figures in found.items()]
        head = ("codecs", "encode MB/s", "decode MB/s", "size ratio")
        yield f"{title}\n\n{table(head, rows)}", {kind.name: {name: each.report() for name, each in found.items()}}


def zarr_table(arguments: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield who reads whom."""
    found = exchange_all(kind for kind in all_kinds(1) if arguments.kinds in kind.name)
    head = ("codecs", *next(iter(found.values())))
    rows = [[name, *("yes" if each else "**no**" for each in answers.values())] for name, answers in found.items()]
    yield table(head, rows), found


def array_table(name: str, arguments: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the table of chunks or of shards."""
    compare, head = (compare_chunks, CHUNK_HEAD) if name == "chunks" else (compare_shards, SHARD_HEAD)
    with tempfile.TemporaryDirectory(dir=arguments.folder, prefix="nwbzarr-layouts-") as folder:
        entries = compare(Path(folder), arguments.repeats)
    yield table(head, [entry.pop("cells") for entry in entries]), {"layouts": entries}


def tables_of(name: str, arguments: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield markdown and figures of one of `TABLES`."""
    if name == "codecs":
        yield from codec_tables(arguments)
    elif name == "zarr":
        yield from zarr_table(arguments)
    else:
        yield from array_table(name, arguments)


def main() -> None:
    arguments = parse_arguments()
    machine, figures = describe_machine(), {}
    versions = tell_versions({"nwbzarr": Interpreter.with_package(sys.executable)})
    print(*(f"{tool} on {', '.join(map(' '.join, found.items()))}." for tool, found in versions.items()), sep="\n")
    for name in arguments.tables:
        print(name, file=sys.stderr)
        print(f"\n## {name}\n\n{NOTES[name].format(repeats=arguments.repeats, count=arguments.count)}", flush=True)
        figures[name] = {}
        for markdown, found in tables_of(name, arguments):
            print(f"\n{markdown}", flush=True)
            figures[name].update(found)
    machine["load after"] = load()
    print(
        f"\n{machine['processor']}, {machine['cores']} cores; load {machine['load before']} to {machine['load after']}."
    )
    if arguments.json is not None:
        report = {"machine": machine, "versions": versions, "repeats": arguments.repeats, **figures}
        arguments.json.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
