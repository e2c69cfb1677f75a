"""The tree of errors is the one drawn in `nwbzarr.errors`, and every error keeps what it says wherever it is sent."""

from __future__ import annotations

import builtins
import copy
import inspect
import pickle
import re

import pytest

from nwbzarr import errors
from nwbzarr.errors import NWBZarrError

CLASSES = [
    found
    for _, found in inspect.getmembers(errors, inspect.isclass)
    if issubclass(found, BaseException) and found.__module__ == errors.__name__
]
EACH = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)

PLACES = [
    (None, None),
    ("s3://lab/raw.nwb.zarr", None),
    (None, "/acquisition/x"),
    ("s3://lab/raw.nwb.zarr", "/acquisition/x"),
]


def drawn() -> dict[str, tuple[str | None, str | None]]:
    """Return what the drawing says: name to parent and builtin base."""
    found: dict[str, tuple[str | None, str | None]] = {}
    trail: list[str] = []
    for line in inspect.getdoc(errors).splitlines():  # type: ignore[union-attr]
        match = re.fullmatch(r"    ((?:[│ ]   |[├└]── )*)(\w+Error)(?: +\((\w+)\) .*)?", line)
        if match is not None:
            depth = len(match[1]) // 4
            assert match[2] not in found, f"{match[2]} is drawn twice"
            found[match[2]] = (trail[depth - 1] if depth else None, match[3])
            trail[depth:] = [match[2]]
    return found


def builtin_base(cls: type[BaseException]) -> str | None:
    """Return the builtin base that a class names itself, or else that of its parent."""
    own = [base.__name__ for base in cls.__bases__ if base.__module__ == builtins.__name__]
    if own:
        (name,) = own
        return None if name == "Exception" else name
    parent = next(base for base in cls.__bases__ if issubclass(base, NWBZarrError))
    return builtin_base(parent)


def test_the_drawing_is_found() -> None:
    assert drawn()["CommitConflictError"] == ("CommitError", "FileExistsError")
    assert drawn()["LinkError"] == ("NWBZarrError", None)


def test_the_tree_is_the_one_that_is_drawn() -> None:
    real: dict[str, tuple[str | None, str | None]] = {}
    for cls in CLASSES:
        parents = [base.__name__ for base in cls.__bases__ if issubclass(base, NWBZarrError)]
        assert len(parents) <= 1, cls
        real[cls.__name__] = (parents[0] if parents else None, builtin_base(cls))
    assert real == drawn()


def test_there_is_one_root() -> None:
    assert all(issubclass(cls, NWBZarrError) for cls in CLASSES)
    assert NWBZarrError.__bases__ == (Exception,)


@EACH
def test_an_error_is_what_callers_catch(cls: type[NWBZarrError]) -> None:
    parent, base = drawn()[cls.__name__]
    for name in (parent, base):
        if name is not None:
            expected: type[BaseException] = getattr(errors, name, None) or getattr(builtins, name)
            assert issubclass(cls, expected)
            assert isinstance(cls("what must hold"), expected)


@EACH
@pytest.mark.parametrize(("store", "path"), PLACES)
def test_an_error_keeps_what_it_says_wherever_it_is_sent(
    cls: type[NWBZarrError], store: str | None, path: str | None
) -> None:
    error = cls("chunks must fit: 'é' \n came", store, path)
    copies = [pickle.loads(pickle.dumps(error, protocol)) for protocol in PROTOCOLS]  # noqa: S301 - our own bytes
    for other in (error, *copies, copy.copy(error), copy.deepcopy(error)):
        assert type(other) is cls
        assert (other.message, other.store, other.path) == ("chunks must fit: 'é' \n came", store, path)
        assert str(other) == str(error)
        assert repr(other) == repr(error)
        assert other.args == error.args


@EACH
def test_the_text_names_message_store_and_path(cls: type[NWBZarrError]) -> None:
    texts = [str(cls("what must hold", store, path)) for store, path in PLACES]
    assert texts == [
        "what must hold",
        "what must hold [s3://lab/raw.nwb.zarr]",
        "what must hold [at /acquisition/x]",
        "what must hold [s3://lab/raw.nwb.zarr at /acquisition/x]",
    ]


@EACH
def test_store_and_path_may_be_given_by_name(cls: type[NWBZarrError]) -> None:
    error = cls("what must hold", path="/x", store="s3://lab/x")
    assert (error.message, error.store, error.path) == ("what must hold", "s3://lab/x", "/x")


@EACH
def test_every_error_says_what_it_is_for(cls: type[NWBZarrError]) -> None:
    assert "__doc__" in vars(cls)
    assert cls.__doc__


def test_a_note_goes_where_the_error_goes() -> None:
    """Python's own errors keep them; a worker's notes say which array it was at."""
    for cls in CLASSES:
        error = cls("what must hold")
        error.add_note("while writing /x")
        assert getattr(pickle.loads(pickle.dumps(error)), "__notes__", None) == ["while writing /x"]  # noqa: S301 - our own bytes
