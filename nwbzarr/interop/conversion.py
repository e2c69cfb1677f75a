"""`convert`: a session from one format to another, by structure, so that every extension comes along."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from nwbzarr.destinations import Destination, check_new
from nwbzarr.errors import StoreExistsError, StoreModeError
from nwbzarr.extras import import_extra
from nwbzarr.interop.comparison import Difference, compare_sessions
from nwbzarr.layout.explanation import Explanation, explain_documents
from nwbzarr.layout.rules import LayoutRules
from nwbzarr.reading.managers import Manager
from nwbzarr.stores.connections import locate
from nwbzarr.writing.conversion import plan_conversion
from nwbzarr.writing.plans import MEMORY_BYTES
from nwbzarr.writing.progress import open_progress

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

    from nwbzarr.interop.hdf5 import HDF5Report
    from nwbzarr.layout.rules import LayoutWish
    from nwbzarr.reading.sessions import Session
    from nwbzarr.stores.trust import Options
    from nwbzarr.stores.url import StoreURL
    from nwbzarr.writing.execution import WriteReport
    from nwbzarr.writing.progress import Wanted

    Layouts = Mapping[str, LayoutWish | Mapping[str, Any]] | None

_HDF5_SUFFIXES = (".nwb", ".h5", ".hdf5")


def convert(  # noqa: PLR0913 - from where, to where, and how
    src: str | os.PathLike[str],
    dst: str | os.PathLike[str],
    *,
    mode: str = "w-",
    storage_options: Options | None = None,
    source_options: Options | None = None,
    layouts: Layouts = None,
    keep_chunks: bool = False,
    max_memory: int = MEMORY_BYTES,
    progress: Wanted = None,
    resume: bool = False,
    transport: str | None = None,
    manager: Manager | None = None,
) -> WriteReport | HDF5Report:
    """Convert an NWB HDF5 file to a store, or a store to an HDF5 file.

    Everything is taken by structure: groups, datasets, attributes, links, references, cached namespaces. External links
    stay links to the files they lead to. Nothing is visible before all of it is.

    Parameters
    ----------
    src : str or path-like
        A session in any format: a local path, or any URL that fsspec knows (``s3://``, ``https://``).
    dst : str or path-like
        What to make: an HDF5 file where the name ends with ``.nwb``, ``.h5`` or ``.hdf5`` (a local path), else a store.
    mode : str
        ``"w-"`` or ``"x"`` make what must not exist, ``"w"`` may replace a session.
    storage_options : mapping, optional
        fsspec's options for `dst`.
    source_options : mapping, optional
        fsspec's options for `src`.
    layouts : mapping, optional
        Wishes for layouts, as `NWBZarrIO.write` takes them.
    keep_chunks : bool
        Keep the shape of HDF5's chunks; without it layouts are planned for the way arrays are read.
    max_memory : int
        Bytes of array data that may be under way at once. One stored object always is.
    progress : bool, callable or None
        As `NWBZarrIO.write` takes it.
    resume : bool
        Go on with a conversion to the same place that was cut off.
    transport : {"fsspec", "obstore"}, optional
        What sends the requests. Only for a new manager.
    manager : Manager, optional
        Shares open stores with others.

    Returns
    -------
    WriteReport or HDF5Report
        What was stored.

    Raises
    ------
    HDF5FileError, StoreError
        When the file cannot be read.
    ConversionError
        When it holds something that the stored form has nothing for; nothing is written then.
    MissingExtraError
        When h5py, or a filter of a dataset, is not installed.
    CommitError
        When the store did not become visible.
    """
    check_new(mode, "converting makes a new store")
    shared = manager or Manager(transport=transport)
    source, target = locate(src), locate(dst)
    session = shared.open(source, source_options)
    if is_hdf5_name(target):
        _check_options(target, layouts=layouts, keep_chunks=keep_chunks, resume=resume, storage_options=storage_options)
        return _to_hdf5(session, target, mode, progress)
    plan = plan_conversion(session, target, LayoutRules(layouts), keep_chunks=keep_chunks)
    if mode != "w" and shared.open_if_there(target, storage_options) is not None:
        message = f"mode {mode!r} makes a new store, but there is one: use mode='w' to replace it"
        raise StoreExistsError(message, target.text)
    destination = Destination(target, mode, shared, storage_options)
    report = destination.carry_out(plan, progress, max_memory=max_memory, resume=resume)
    shared.forget(target)
    return report


def explain_conversion(  # noqa: PLR0913 - the arguments of convert
    src: str | os.PathLike[str],
    dst: str | os.PathLike[str],
    *,
    source_options: Options | None = None,
    layouts: Layouts = None,
    keep_chunks: bool = False,
    transport: str | None = None,
    manager: Manager | None = None,
) -> Explanation:
    """Say how `convert` would lay out arrays, and why; nothing is written, and nothing large is read.

    Parameters are those of `convert`.

    Raises
    ------
    HDF5FileError, StoreError, ConversionError, MissingExtraError
        As `convert` raises them.
    """
    shared = manager or Manager(transport=transport)
    source, target = locate(src), locate(dst)
    session = shared.open(source, source_options)
    if is_hdf5_name(target):
        _check_options(target, layouts=layouts, keep_chunks=keep_chunks)
        hdf5 = _hdf5()
        return explain_documents(target.text, session.tree.documents, hdf5.plan_layouts(session), {})
    plan = plan_conversion(session, target, LayoutRules(layouts), keep_chunks=keep_chunks)
    return explain_documents(target.text, plan.documents, plan.layouts, plan.encoded_sizes)


def compare(
    left: str | os.PathLike[str],
    right: str | os.PathLike[str],
    *,
    storage_options: Options | None = None,
    manager: Manager | None = None,
) -> Iterator[Difference]:
    """Yield what two sessions, in any formats, do not have in common.

    Parameters
    ----------
    left, right : str or path-like
        Two sessions.
    storage_options : mapping, optional
        fsspec's options for both.
    manager : Manager, optional
        Shares open stores with others.
    """
    shared = manager or Manager()
    first, second = (shared.open(locate(place), storage_options) for place in (left, right))
    return compare_sessions(first, second)


def is_hdf5_name(url: StoreURL) -> bool:
    """Whether a place has the name of an HDF5 file."""
    return url.name.endswith(_HDF5_SUFFIXES)


def _to_hdf5(session: Session, target: StoreURL, mode: str, progress: Wanted) -> HDF5Report:
    if not target.is_local:
        message = f"an HDF5 file is written to a local disk, but {target.protocol}:// came: write it here, then copy it"
        raise StoreModeError(message, target.text)
    hdf5 = _hdf5()
    tree = session.tree
    total = sum(_nbytes(document, tree.dtype(path)) for path, document in tree.documents.items())
    with open_progress(target.name, total, progress) as told:
        report: HDF5Report = hdf5.write_hdf5(session, target, replace=mode == "w", stored=told)
    return report


def _hdf5() -> Any:
    return import_extra("nwbzarr.interop.hdf5", "HDF5 files are written with h5py", "hdf5")


def _nbytes(document: Mapping[str, Any], dtype: Any) -> int:
    return math.prod(document.get("shape") or (0,)) * (8 if dtype is None else int(dtype.itemsize))


def _check_options(target: StoreURL, **given: Any) -> None:
    """Raise for options that only stores have."""
    unfit = [name for name, value in given.items() if value]
    if unfit:
        message = f"{', '.join(unfit)} are for stores, but the name of an HDF5 file came: leave them out"
        raise StoreModeError(message, target.text)
