"""PyNWB builds the session of each neurodata type, and hdmf-zarr writes it."""

from __future__ import annotations

import functools
import tempfile
import traceback
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pynwb
from hdmf_zarr import NWBZarrIO

from tests.peers import neurodata

if TYPE_CHECKING:
    from collections.abc import Callable


@functools.cache
def _class_of(name: str) -> Any:
    if name == "HERD":
        # hdmf's own does not know the types of NWB.
        from pynwb.resources import HERD

        return HERD
    catalog = pynwb.get_type_map().namespace_catalog
    for namespace in ("core", "hdmf-common", "hdmf-experimental"):
        if name in catalog.get_namespace(namespace).get_registered_types():
            return pynwb.get_class(name, namespace)
    raise AttributeError(name)


class PyNWB:
    """PyNWB, as a `neurodata.Library`.

    Attributes
    ----------
    extended : bool
        Whether a type of the extension was asked for.
    """

    def __init__(self) -> None:
        self.extended = False

    def __getattr__(self, name: str) -> Any:
        """Return the class of a neurodata type."""
        return _class_of(name)

    def deprecated(self, name: str) -> Callable[..., Any]:
        """Return what makes a container as PyNWB makes it when it reads: then it takes what is deprecated."""
        repair()
        kind = getattr(self, name)

        def make(**fields: Any) -> Any:
            made = kind.__new__(kind, in_construct_mode=True)
            kind.__init__(made, **fields)
            made._in_construct_mode = False
            return made

        return make

    def extension(self, name: str) -> Any:
        """Return the class of a type of the extension, loading that when it is not."""
        self.extended = True
        namespace = neurodata.EXTENSION["namespaces"][0]["name"]
        if namespace not in pynwb.available_namespaces():
            with tempfile.TemporaryDirectory() as folder:
                pynwb.load_namespaces(str(neurodata.write_extension(Path(folder))))
        return pynwb.get_class(name, namespace)


def repair() -> None:
    """Make PyNWB able to read and write ``EventWaveform``: its ``__init__`` does nothing, not even when it reads."""
    from pynwb.core import MultiContainerInterface
    from pynwb.ecephys import EventWaveform

    repaired = type("Repaired", (MultiContainerInterface,), {"__clsconf__": EventWaveform.__clsconf__})
    EventWaveform.__init__ = vars(repaired)["__init__"]


def run(folder: str, types: list[str]) -> dict[str, str]:
    """Write a session for each of some types into ``<type>.nwb.zarr``, and return what went wrong, by type.

    Parameters
    ----------
    folder : str
        Where the stores are made.
    types : list of str
        Neurodata types.
    """
    failures: dict[str, str] = {}
    for name in types:
        try:
            write(name, Path(folder) / f"{name}.nwb.zarr")
        except Exception:  # noqa: BLE001 - the table of types shows which fail
            failures[name] = traceback.format_exc()
    return failures


def write(name: str, path: Path) -> None:
    """Write the session of a type. Namespaces are cached where PyNWB cannot read it without."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # First, since what writes knows no class that comes after it.
        library = PyNWB()
        session = neurodata.BUILDERS[name](library)
        with NWBZarrIO(path, "w") as io:
            io.write(session, cache_spec=library.extended)
