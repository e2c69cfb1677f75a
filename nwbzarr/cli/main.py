"""``nwbzarr``: arguments in, text or JSON out.

One function per command; each prints what a person wants to read, or with ``--json`` what a program wants.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import nwbzarr
from nwbzarr.cli.archive import add_check
from nwbzarr.cli.conversion import add_compare, add_convert, add_index
from nwbzarr.cli.demo import Recording, load_recording, run_demo, synthetic_recording
from nwbzarr.cli.filtering import Filtering, run_filter
from nwbzarr.cli.listing import describe, draw
from nwbzarr.cli.moving import add_moving
from nwbzarr.cli.options import add_common, parse_options, usage
from nwbzarr.errors import NWBZarrError

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXAMPLES = """\
examples:
  nwbzarr demo
      raw -> filtered -> scratch on a made-up recording, in the folder nwbzarr-demo
  nwbzarr demo --input lfp.npy --rate 1000 --unit uV
      the same on your recording: an array of shape (samples,) or (samples, channels)
  nwbzarr demo --store s3://my-bucket/demo
      the same on S3; credentials come from AWS_ACCESS_KEY_ID and the like, a server of your own from AWS_ENDPOINT_URL
  nwbzarr show s3://my-bucket/demo/processed_data.nwb.zarr
      what a session holds, and what it only links to
  nwbzarr explain s3://my-bucket/demo/processed_data.nwb.zarr
      how its arrays are stored (chunks, shards, codecs, sizes), and why
  nwbzarr filter s3://my-bucket/day1/raw_data.nwb.zarr --band 300 6000 --to s3://my-bucket/day1/filtered.nwb.zarr
      a session that links to the first and holds what lies between 300 and 6000 Hz
  nwbzarr validate s3://my-bucket/demo/processed_data.nwb.zarr
      everything in it that its own cached namespaces do not allow
  nwbzarr convert raw.nwb s3://my-bucket/day1/raw.nwb.zarr --check
      an HDF5 file as a store, and whether both hold the same
  nwbzarr copy --follow s3://my-bucket/day1/filtered.nwb.zarr /data/day1
      a session and all that it links to, with links that lead from copy to copy
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status (0 done, 1 failed with a named error or not valid, 2 wrong usage).

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows the program's name; the process's own arguments by default.
    """
    parsed = _parser().parse_args(arguments)
    try:
        return int(parsed.run(parsed))
    except NWBZarrError as error:
        print(f"nwbzarr: {type(error).__name__}: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nwbzarr",
        description="NWB sessions as Zarr v3, on a disk or any store that fsspec reaches.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"nwbzarr {nwbzarr.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_show(commands)
    _add_explain(commands)
    _add_validate(commands)
    _add_filter(commands)
    add_convert(commands)
    add_compare(commands)
    add_index(commands)
    add_moving(commands)
    add_check(commands)
    return parser


def _add_demo(commands: Any) -> None:
    demo = commands.add_parser(
        "demo",
        help="write a recording, a filtered session and an analysis that link to each other, and check them",
        description="Write raw_data, processed_data and scratch_analysis below one place, and read all of it back.",
    )
    demo.add_argument("--input", metavar="FILE.npy", help="a recording: samples first, then channels if any")
    demo.add_argument("--rate", type=float, metavar="HZ", help="its sampling rate; needed with --input")
    demo.add_argument("--unit", default=None, help="its unit (default: 'a.u.' for a file)")
    demo.add_argument("--store", metavar="URL", default="nwbzarr-demo", help="where to write (default: %(default)s)")
    add_common(demo)
    demo.set_defaults(run=_demo)


def _add_show(commands: Any) -> None:
    show = commands.add_parser(
        "show",
        help="list what a session holds, and what it links to",
        description="List containers, datasets and links of a session. Links are named, not followed.",
    )
    show.add_argument("url", metavar="URL", help="a session")
    add_common(show)
    show.set_defaults(run=_show)


def _add_explain(commands: Any) -> None:
    explain = commands.add_parser(
        "explain",
        help="say how the arrays of a session are stored, and why",
        description=(
            "List the arrays of a session, the largest first: shape, chunks (what is compressed as one), shards (what is "
            "stored as one object), codecs, number of objects, decoded and stored size, and the reasons."
        ),
    )
    explain.add_argument("url", metavar="URL", help="a session")
    add_common(explain)
    explain.set_defaults(run=_explain)


def _add_validate(commands: Any) -> None:
    validate = commands.add_parser(
        "validate",
        help="check a session against the namespaces that it has cached",
        description=(
            "List everything in a session that its own cached namespaces do not allow; links are followed for the type "
            "of what they lead to. The exit status is 1 when there is anything."
        ),
    )
    validate.add_argument("url", metavar="URL", help="a session")
    add_common(validate)
    validate.set_defaults(run=_validate)


def _add_filter(commands: Any) -> None:
    filtering = commands.add_parser(
        "filter",
        help="derive a session with a band of one of its series",
        description=(
            "Write a session that links to another one and holds a band of one of its series (Butterworth, forwards and "
            "backwards), in the processing module ecephys. Larger than memory is fine: blocks are read, filtered and "
            "stored one by one, on all cores or on a Dask cluster."
        ),
    )
    filtering.add_argument("url", metavar="URL", help="a session")
    filtering.add_argument("--band", nargs=2, type=float, required=True, metavar=("LOW", "HIGH"), help="edges, in Hz")
    filtering.add_argument(
        "--to", required=True, metavar="URL", help="where the derived session goes (replaced if there)"
    )
    filtering.add_argument(
        "--series",
        metavar="PATH",
        help="which series, such as /acquisition/raw (default: the only one of the acquisition)",
    )
    filtering.add_argument("--order", type=int, default=5, help="order of the filter (default: %(default)s)")
    filtering.add_argument("--dtype", help="dtype of the result, such as int16, rounded (default: float32)")
    filtering.add_argument("--name", default="filtered", help="name of the result (default: %(default)s)")
    filtering.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler, such as tcp://10.0.0.1:8786")
    add_common(filtering)
    filtering.set_defaults(run=_filter)


def _demo(parsed: argparse.Namespace) -> int:
    result = run_demo(_recording(parsed), parsed.store, parse_options(parsed.option))
    print(json.dumps(result.as_json(), indent=2) if parsed.json else result.as_text())
    return 0


def _recording(parsed: argparse.Namespace) -> Recording:
    if parsed.input is None:
        if parsed.rate is not None or parsed.unit is not None:
            usage("--rate and --unit describe a recording: give it with --input FILE.npy")
        return synthetic_recording()
    if parsed.rate is None:
        usage("--input needs the sampling rate of the recording: add --rate HZ")
    return load_recording(parsed.input, parsed.rate, parsed.unit or "a.u.")


def _show(parsed: argparse.Namespace) -> int:
    nwbfile = nwbzarr.open(parsed.url, storage_options=parse_options(parsed.option))
    print(json.dumps(describe(nwbfile), indent=2) if parsed.json else draw(nwbfile))
    return 0


def _explain(parsed: argparse.Namespace) -> int:
    explanation = nwbzarr.explain(parsed.url, storage_options=parse_options(parsed.option))
    print(json.dumps(explanation.as_json(), indent=2) if parsed.json else explanation)
    return 0


def _validate(parsed: argparse.Namespace) -> int:
    problems = nwbzarr.validate(parsed.url, storage_options=parse_options(parsed.option))
    if parsed.json:
        print(json.dumps([asdict(problem) for problem in problems], indent=2))
    else:
        print("\n".join([*map(str, problems), f"{len(problems)} problems" if problems else "no problems"]))
    return 1 if problems else 0


def _filter(parsed: argparse.Namespace) -> int:
    asked = Filtering(
        parsed.url, parsed.to, tuple(parsed.band), parsed.order, parsed.series, parsed.dtype, parsed.name,
        parsed.scheduler, parse_options(parsed.option),
    )  # fmt: skip
    report = run_filter(asked)
    links = [{"path": link.path, "source": link.source, "target": link.target.path} for link in report.links]
    found = {"url": report.url.text, "objects": report.chunks, "nbytes": report.nbytes, "links": links}
    print(json.dumps(found, indent=2) if parsed.json else report)
    return 0
