"""What of a write's arrays is stored: for a person, a bar; for a program, a callback."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tqdm.auto import tqdm

from nwbzarr.errors import FieldTypeError

#: Arrays below this many bytes are stored before a bar is looked at.
_WORTH_SHOWING = 32 * 2**20


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a write is.

    Attributes
    ----------
    path : str
        The array of which an object was just stored.
    done : int
        Decoded bytes of arrays that are stored.
    total : int or None
        Decoded bytes of all arrays; None while an iterator has not ended.
    """

    path: str
    done: int
    total: int | None


#: Whether to show a bar (None: when the output is a terminal), or what to call.
Wanted = bool | None | Callable[[Progress], object]


@contextlib.contextmanager
def open_progress(name: str, total: int | None, wanted: Wanted) -> Iterator[Callable[[str, int], None]]:
    """Give what takes path and decoded bytes of what is stored, from any thread.

    Parameters
    ----------
    name : str
        What is written, for people.
    total : int or None
        Decoded bytes of all arrays; None while it is not known.
    wanted : bool, callable or None
        Whether to show a bar, or what to call.

    Raises
    ------
    FieldTypeError
        When `wanted` is neither a truth value, None, nor callable.
    """
    lock = threading.Lock()
    if callable(wanted):
        done = 0

        def call(path: str, nbytes: int) -> None:
            nonlocal done
            with lock:
                done += nbytes
                wanted(Progress(path, done, total))

        yield call
        return
    if wanted not in (True, False, None):
        message = f"progress must be True, False, None (a bar on terminals) or callable, but {wanted!r} came"
        raise FieldTypeError(message)
    if wanted is False or (wanted is None and total is not None and total < _WORTH_SHOWING):
        yield lambda _path, _nbytes: None
        return
    # disable=None: tqdm is silent when its output is no terminal.
    with tqdm(total=total, unit="B", unit_scale=True, desc=name, disable=None if wanted is None else False) as bar:

        def show(path: str, nbytes: int) -> None:
            with lock:
                bar.set_postfix_str(path, refresh=False)
                bar.update(nbytes)

        yield show
