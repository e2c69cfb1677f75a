"""What PyNWB finds in whole sessions that hdmf-zarr opens, and what its validator says about them."""

from __future__ import annotations

import traceback
import warnings
from typing import Any

import pynwb
from hdmf_zarr import NWBZarrIO

from tests.peers import neurodata
from tests.peers.scripts import neurodata_facts, write_neurodata


def run(stores: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return for each store a ``description``, ``own_words``, ``complaints`` and ``warnings``, or only a ``failure``.

    Parameters
    ----------
    stores : dict
        Places of stores, by names of any kind.
    """
    write_neurodata.repair()
    return {name: _study(path) for name, path in stores.items()}


def _study(path: str) -> dict[str, Any]:
    try:
        with warnings.catch_warnings(record=True) as caught, NWBZarrIO(path, "r") as io:
            warnings.simplefilter("always")
            session = io.read()
            return {
                "description": neurodata_facts.describe(session, neurodata_facts.PyNWBAdapter(io.manager)),
                "own_words": neurodata_facts.own_words(session, io.manager),
                "complaints": _complaints(io),
                "warnings": [f"{found.category.__name__}: {found.message}" for found in caught],
            }
    except Exception:  # noqa: BLE001 - the table of types shows which fail
        return {"failure": traceback.format_exc()}


def _complaints(io: Any) -> list[str]:
    """Return what the validator says; that a store has no namespace but NWB's own saves it half a second."""
    extended = neurodata.EXTENSION["namespaces"][0]["name"] in io.manager.namespace_catalog.namespaces
    return [str(error) for error in pynwb.validate(io=io, use_cached_namespaces=extended)]
