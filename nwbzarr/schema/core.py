"""The namespaces that come with nwbzarr: NWB core, hdmf-common and hdmf-experimental, as compiled tables.

Names, places, dtypes, shapes and defaults are the facts of the NWB schema 2.11.0 and hdmf-common 1.10.0, which
`nwbzarr.interop.schema` takes from an installed PyNWB.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING

from nwbzarr.schema.language import parse_namespace
from nwbzarr.schema.registry import Registry

if TYPE_CHECKING:
    from nwbzarr.schema.specs import Namespace

#: The compiled namespaces, each after those it includes.
TABLES = ("hdmf-common", "hdmf-experimental", "core")


def read_table(name: str) -> Namespace:
    """Return a compiled namespace."""
    text = (files("nwbzarr.schema") / "tables" / f"{name}.json").read_text(encoding="utf-8")
    table = json.loads(text)
    return parse_namespace(table["namespace"], table["sources"], f"the compiled table {name!r}")


CORE = Registry(map(read_table, TABLES))

#: Version of the NWB schema that new sessions are written under.
NWB_VERSION = CORE.namespaces["core"].version
